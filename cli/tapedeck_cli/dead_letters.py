"""`tapedeck dlq`, for operators: work that failed three times is seen and sent back to its queue, with the credentials of this shell.

A bell is never the truth, it only says where to look: so sending one back once too often does no harm. A schedule's call that failed came
from no queue; its schedule calls again by itself, and such a message can only be forgotten.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from rich.markup import escape
from rich.table import Table

from tapedeck_cli.local import home
from tapedeck_cli.screen import emit, err, out
from tapedeck_cli.trouble import NOT_FOUND, Trouble

app = typer.Typer(no_args_is_help=True, help="For operators, work that failed three times: list, redrive.")

Row = dict[str, Any]
_HELD = 60  # seconds for which a message that is being looked at is nobody else's
_MOST = 1000  # messages at a time
_SOURCE = "DeadLetterQueueSourceArn"

Stack = Annotated[str | None, typer.Option("--stack", help="The CloudFormation stack, by this shell's credentials. Default: the local one")]


@app.command("list")
def list_(stack: Stack = None, as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False) -> None:
    """What lies in the dead letter queue, the oldest first."""
    with _reached(stack) as (sqs, queue):
        found = sorted(_messages(sqs, queue), key=lambda each: int(each["Attributes"]["SentTimestamp"]))
        _release(sqs, queue, found)
    rows = [_row(each) for each in found]
    if as_json:
        emit(rows)
        return
    if not rows:
        err.print("there are no dead letters", style="dim")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("id", "when"):
        table.add_column(title, no_wrap=True)
    for title in ("from", "error", "message"):
        table.add_column(title, overflow="fold")
    for row in rows:
        at = f"{datetime.fromisoformat(row['at']):%Y-%m-%d %H:%M:%S}"
        table.add_row(row["id"], at, *map(escape, (row["from"] or "-", row["error"] or "-", row["body"])))
    out.print(table, soft_wrap=False)


@app.command()
def redrive(
    ids: Annotated[list[str] | None, typer.Argument(help="Which messages. Default: all of them")] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Delete those that came from no queue: their schedules call again.")] = False,
    stack: Stack = None,
) -> None:
    """Send dead letters back to the queues from which they came."""
    with _reached(stack) as (sqs, queue):
        found = list(_messages(sqs, queue))
        if unknown := set(ids or ()) - {each["MessageId"] for each in found}:
            _release(sqs, queue, found)
            raise Trouble(f"there is no dead letter {', '.join(sorted(unknown))}", NOT_FOUND)
        meant = [each for each in found if not ids or each["MessageId"] in ids]
        back = [each for each in meant if _SOURCE in each["Attributes"]]
        left = [each for each in meant if _SOURCE not in each["Attributes"]]
        for each in back:
            _send_back(sqs, each)
        for each in [*back, *left] if forget else back:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=each["ReceiptHandle"])
        _release(sqs, queue, [each for each in found if each not in back and not (forget and each in left)])
    out.print(f"{len(back)} sent back" + (f", {len(left)} forgotten" if forget and left else ""), markup=False)
    if left and not forget:
        err.print(f"{len(left)} came from no queue: their schedules call again by themselves, and --forget deletes them", style="dim")


@contextmanager
def _reached(stack: str | None) -> Iterator[tuple[Any, str]]:
    """(SQS, the URL of the stack's dead letter queue); Trouble for whatever AWS refuses."""
    import boto3  # takes a while: other commands do not wait for it
    from botocore.exceptions import BotoCoreError, ClientError

    from tapedeck_cli import deploying, emulator

    if stack is None:
        about = home().read()
        if about is None:
            raise Trouble("no local stack is known here: start one with `make run`, or say --stack")
        os.environ.update(emulator.environment(urlsplit(about["api_url"]).port or 80))
    try:
        name = stack or deploying.STACK
        found = boto3.client("cloudformation").describe_stack_resource(StackName=name, LogicalResourceId="DeadLetters")
        yield boto3.client("sqs"), found["StackResourceDetail"]["PhysicalResourceId"]
    except (ClientError, BotoCoreError) as error:
        raise Trouble(f"the dead letters of {stack or 'the local stack'} cannot be reached: {error}") from None


def _messages(sqs: Any, queue: str) -> Iterator[Row]:
    """What is in the queue, each message once; nobody else gets it for a while."""
    seen: set[str] = set()
    while len(seen) < _MOST:
        page = sqs.receive_message(
            QueueUrl=queue,
            MaxNumberOfMessages=10,
            VisibilityTimeout=_HELD,
            WaitTimeSeconds=1,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        fresh = [each for each in page if each["MessageId"] not in seen]
        if not fresh:
            return
        seen.update(each["MessageId"] for each in fresh)
        yield from fresh


def _release(sqs: Any, queue: str, messages: list[Row]) -> None:
    """Whoever looks next sees them again."""
    for each in messages:
        sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=each["ReceiptHandle"], VisibilityTimeout=0)


def _send_back(sqs: Any, message: Row) -> None:
    url = sqs.get_queue_url(QueueName=message["Attributes"][_SOURCE].rpartition(":")[2])["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=message["Body"], MessageAttributes=message.get("MessageAttributes", {}))


def _row(message: Row) -> Row:
    attributes = {name: value.get("StringValue") for name, value in message.get("MessageAttributes", {}).items()}
    return {
        "id": message["MessageId"],
        "at": datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000).astimezone().isoformat(timespec="seconds"),
        "from": message["Attributes"].get(_SOURCE, "").rpartition(":")[2] or None,
        "error": attributes.get("ErrorMessage") or attributes.get("ERROR_MESSAGE"),
        "body": message["Body"],
    }
