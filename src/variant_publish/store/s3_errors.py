"""What can go wrong with a bucket, each with its remedy; no message has a credential."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from variant_publish.errors import VariantPublishError
from variant_publish.model.url import redact
from variant_publish.store.objects import CutOff

ABSENT = frozenset({"NoSuchKey", "NotFound", "404"})
LOST = frozenset({"PreconditionFailed", "412"})
RACE = frozenset({"ConditionalRequestConflict", "OperationAborted", "409"})
UNCHANGED = frozenset({"NotModified", "304"})
GONE = frozenset({"NoSuchUpload"})
CANNOT = frozenset({"NotImplemented", "501", "MethodNotAllowed", "405"})
"""What stores answer that lack a request, such as copies of parts."""

SPOILT = frozenset({"InvalidPart", "InvalidPartOrder"})
"""Two jobs sent different parts into one upload: neither can complete it."""

_REGION = {
    "PermanentRedirect", "301", "307", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException",
    "TemporaryRedirect",
}  # fmt: skip
_DENIED = {"AccessDenied", "403", "Forbidden", "AllAccessDisabled", "AccountProblem"}
_BAD_KEYS = {
    "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "TokenRefreshRequired", "401",
    "UnrecognizedClientException", "InvalidClientTokenId",
}  # fmt: skip
_RIGHTS = (
    "allow s3:GetObject, s3:PutObject, s3:AbortMultipartUpload, s3:ListMultipartUploadParts on the prefix and"
    " s3:ListBucket, s3:ListBucketMultipartUploads on the bucket; without s3:ListBucket S3 answers so for every"
    " object that is not there"
)
_HINTS = (
    ({"NoSuchBucket"}, "there is no such bucket", "create it, or correct the name in upload.extra-index"),
    (_REGION, "the bucket is in another region", "set AWS_REGION (or region in ~/.aws/config) to the bucket's region"),
    (_DENIED, "access is denied", _RIGHTS),
    (_BAD_KEYS, "the credentials are not accepted", "renew them: log in again, or correct the AWS_* variables"),
    ({"RequestTimeTooSkewed"}, "the clock of this machine is wrong", "correct it: signatures hold for fifteen minutes"),
    (
        CANNOT,
        "the store does not support what was asked of it",
        "use a store with conditional writes, such as Amazon S3",
    ),
    ({"SlowDown", "503", "ServiceUnavailable"}, "the store asks for fewer requests", "run the command again later"),
)


class StoreError(VariantPublishError):
    """Report an answer of the store; `code` is the store's own word for it."""

    def __init__(self, code: str, message: str, *, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.code = code


@contextmanager
def translated(place: str, key: str = "") -> Iterator[None]:
    """Raise botocore's errors as StoreError (the store's answers) and VariantPublishError (everything before)."""
    from botocore import exceptions
    from botocore.parsers import ResponseParserError
    from urllib3.exceptions import ProtocolError

    where = f"{place}: {key}" if key else place
    try:
        yield
    except exceptions.ClientError as error:
        raise _of_answer(where, error) from error
    except (
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.CredentialRetrievalError,
        exceptions.ProfileNotFound,
        exceptions.SSOError,
        exceptions.TokenRetrievalError,
    ) as error:
        raise VariantPublishError(
            f"{where}: no usable AWS credentials ({redact(str(error))})",
            hint="log in (aws sso login), set AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        ) from error
    except exceptions.NoRegionError as error:
        raise VariantPublishError(f"{where}: no region is configured", hint="set AWS_REGION") from error
    except (
        exceptions.IncompleteReadError,
        exceptions.ResponseStreamingError,
        ResponseParserError,
        ProtocolError,  # botocore lets it through where it reads the text of an error
    ) as error:
        raise CutOff(
            f"{where}: the answer was cut off ({redact(str(error))})",
            hint="check the network, then run the command again: it goes on where it stopped",
        ) from error
    except (exceptions.HTTPClientError, exceptions.ConnectionError) as error:
        raise VariantPublishError(
            f"{where} cannot be reached ({redact(str(error))})",
            hint="check the network, AWS_REGION and upload.endpoint-url, then run the command again",
        ) from error
    except (exceptions.BotoCoreError, ValueError) as error:
        raise VariantPublishError(
            f"{where}: the request cannot be made ({redact(str(error))})",
            hint="check upload.extra-index, upload.endpoint-url and the AWS configuration",
        ) from error


def _of_answer(where: str, error: Exception) -> StoreError:
    answer = getattr(error, "response", {}).get("Error", {})
    code, said = str(answer.get("Code", "unknown")), redact(str(answer.get("Message", "")))
    for codes, meaning, hint in _HINTS:
        if code in codes:
            detail = f"{code}: {said}" if said and said != meaning else code
            return StoreError(code, f"{where}: {meaning} ({detail})", hint=hint)
    return StoreError(
        code, f"{where}: the store answers {code} ({said})", hint="see the store's documentation for this answer"
    )
