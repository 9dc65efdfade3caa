"""The keys of the role that this container has, as NAME=value; nothing where it has none."""

from botocore.session import get_session

found = get_session().get_credentials()
if found is not None:
    keys = found.get_frozen_credentials()
    named = {"AWS_ACCESS_KEY_ID": keys.access_key, "AWS_SECRET_ACCESS_KEY": keys.secret_key, "AWS_SESSION_TOKEN": keys.token}
    print("\n".join(f"{name}={value}" for name, value in named.items() if value))
