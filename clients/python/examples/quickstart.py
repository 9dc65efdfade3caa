# From labels to a served prediction, beside the pipeline's folder: labels (user, time, late) come in, the answer of a GET goes out.
import os, sys, urllib.request, millrace, pandas as pd  # noqa: E401
from sklearn.ensemble import HistGradientBoostingClassifier
df = millrace.training_set(pd.read_csv(sys.stdin, parse_dates=["time"]), known="all")
inputs = df.attrs["models"]["late-arrival"]
fitted = HistGradientBoostingClassifier().fit(df[inputs], df["late"])
millrace.publish(fitted, "late-arrival", data=df, metrics={"accuracy": fitted.score(df[inputs], df["late"])}, stage="production")
print(urllib.request.urlopen(f"{os.environ['AWS_ENDPOINT_URL']}/users/{df['user'].iloc[-1]}/predictions").read().decode())
