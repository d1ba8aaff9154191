"""`python -m tests.record_examples`: ask a new sandbox every example and write what it answers."""

import json

from api.app import create_app
from api.openapi import document
from dtsen.settings import Settings
from tests.examples import FOLDER, ask, operations, read_example
from tests.sandbox import running_sandbox


def main() -> None:
    described = document(create_app(Settings()), "http://localhost:8000")
    with running_sandbox() as sandbox:
        for operation_id in operations(described):
            example = read_example(operation_id)
            example["response"] = ask(sandbox, described, operation_id, example)
            text = json.dumps(example, ensure_ascii=False, indent=2)
            (FOLDER / f"{operation_id}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
