import json, time
start = time.monotonic()
# The two lines that people write:
import millrace
users = millrace.load_dataframe("flights", "users")
first = users.iloc[0]["user_id"]
seconds = time.monotonic() - start
checksum = millrace.Catalog("flights").values_checksum(users.attrs["batch"])
print(json.dumps({"rows": len(users), "checksum": checksum, "secondsToFirstRow": seconds, "first": first}))
