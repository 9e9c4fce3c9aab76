"""Says what the functions of a stack run on; nothing, if there is no such stack. `make deploy` asks.

With the SAM CLI's own Python: nobody needs the AWS CLI for a deploy.
"""

import sys


def architecture(stacks: list[dict]) -> str:
    """Of what CloudFormation describes.

    >>> architecture([])
    ''
    >>> runs = {"ParameterKey": "Architecture", "ParameterValue": "x86_64"}
    >>> architecture([{"StackStatus": "UPDATE_COMPLETE", "Parameters": [runs]}])
    'x86_64'

    A change set that was never carried out has left a stack of no resources:

    >>> architecture([{"StackStatus": "REVIEW_IN_PROGRESS"}])
    ''
    """
    for stack in stacks:
        if stack["StackStatus"] != "REVIEW_IN_PROGRESS":
            said = {
                it["ParameterKey"]: it["ParameterValue"]
                for it in stack.get("Parameters", [])
            }
            return said.get("Architecture", "")
    return ""


def main(name: str) -> None:
    # Here, so that the tests above need none of it.
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

    try:
        cloudformation = boto3.client("cloudformation")
        print(architecture(cloudformation.describe_stacks(StackName=name)["Stacks"]))
    except NoRegionError:
        sys.exit("make deploy: in which region? Set AWS_DEFAULT_REGION")
    except (BotoCoreError, ClientError) as error:
        if "does not exist" not in str(error):
            sys.exit(f"make deploy: is the stack {name} there? {error}")


if __name__ == "__main__":
    main(sys.argv[1])
