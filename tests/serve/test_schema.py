"""What the API's own description promises, tried by schemathesis with all kinds of questions."""

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from support.api_client import HOSTS, app_of

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]
HOST = {"Host": HOSTS[0]}
ENDLESS = "stream"
AILING = "/healthz"
"""503 is what it is to say."""
FEW = settings(
    max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def test_no_question_breaks_the_server_and_answers_are_as_described(run):
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", app_of(run), headers=HOST)
    operations = [each.ok() for each in schema.get_all_operations()]
    tried = [each for each in operations if ENDLESS not in each.path and each.path != AILING]
    assert len(tried) > 25
    for operation in tried:

        @FEW
        @given(case=operation.as_strategy())
        def check(case):
            case.validate_response(case.call(headers=HOST), checks=CHECKS)

        check()
