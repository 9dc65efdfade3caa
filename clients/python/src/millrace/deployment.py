"""Where a deployed pipeline's resources are, by the rule of the npm package's `resource-names.ts`, and how they are reached."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from millrace.errors import MillraceError

# The account of the local cloud, as emulators have it.
LOCAL_ACCOUNT_ID = "000000000000"


@dataclass(frozen=True)
class Deployment:
    """A pipeline at a stage, in an account."""

    pipeline: str
    stage: str
    account_id: str

    @property
    def catalog_table(self) -> str:
        return f"{self.pipeline}-{self.stage}-catalog"

    @property
    def catalog_bucket(self) -> str:
        return f"{self.pipeline}-{self.stage}-catalog-{self.account_id}"


def find_deployment(pipeline: str, stage: str, env: Mapping[str, str] = os.environ) -> Deployment:
    """At AWS_ENDPOINT_URL (the local cloud), or in the account of AWS_ACCOUNT_ID."""
    if env.get("AWS_ENDPOINT_URL", "") != "":
        return Deployment(pipeline, stage, LOCAL_ACCOUNT_ID)
    account = env.get("AWS_ACCOUNT_ID", "")
    if re.fullmatch(r"\d{12}", account) is None:
        raise MillraceError(
            "Which AWS account the pipeline is deployed in is not known",
            code="account-unknown",
            next="Set AWS_ACCOUNT_ID to its 12 digits, or AWS_ENDPOINT_URL for the local cloud that `millrace local` starts.",
        )
    return Deployment(pipeline, stage, account)


def aws_client(service: str, env: Mapping[str, str] = os.environ, **settings: Any) -> Any:
    """A boto3 client; `settings` are those of botocore's Config. The local cloud asks for some region and some credentials, and for no
    particular ones."""
    endpoint = env.get("AWS_ENDPOINT_URL", "")
    if endpoint == "":
        return boto3.client(service, config=Config(**settings))
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or "us-east-1",
        aws_access_key_id=env.get("AWS_ACCESS_KEY_ID", "local"),
        aws_secret_access_key=env.get("AWS_SECRET_ACCESS_KEY", "local"),
        config=Config(s3={"addressing_style": "path"}, **settings),
    )
