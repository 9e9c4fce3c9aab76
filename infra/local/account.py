"""What somebody who wants machines has in his account before he deploys: a launch template, the machines' role, images.

The emulator boots nothing (`fleet.py` does), so the template is an empty one. The role is what the local fleet's
machines prove themselves with; on AWS its trust policy names `ec2.amazonaws.com` and nobody else.
"""

import json

from botocore.exceptions import ClientError

from deploy import REGION, client
from machines import TAGGED

NAME = "local-machines"
ACCOUNT = "000000000000"
REPOSITORY = "agent-example"
# One by digest, at which nobody looks; one by a tag in ECR, whose image can be pushed anew.
IMAGES = ",".join(
    [
        "example=local/agent-example@sha256:" + "0" * 64,
        f"{TAGGED}={ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{REPOSITORY}:latest",
    ]
)


def prepare(endpoint: str) -> dict[str, str]:
    """Makes sure of all that, and returns the template parameters that name it."""
    ec2 = client("ec2", endpoint)
    _image(client("ecr", endpoint))
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    return {
        "LaunchTemplateId": _launch_template(ec2),
        "LaunchTemplateVersion": "1",
        "RuntimeImages": IMAGES,
        "MachineRoleArn": role(client("iam", endpoint)),
        "MachineSubnetIds": subnet,
    }


def _launch_template(ec2) -> str:
    found = ec2.describe_launch_templates()["LaunchTemplates"]
    for template in found:
        if template["LaunchTemplateName"] == NAME:
            return template["LaunchTemplateId"]
    data = {"ImageId": "ami-00000000"}
    made = ec2.create_launch_template(LaunchTemplateName=NAME, LaunchTemplateData=data)
    return made["LaunchTemplate"]["LaunchTemplateId"]


def _image(ecr) -> None:
    try:
        ecr.create_repository(repositoryName=REPOSITORY)
    except ecr.exceptions.RepositoryAlreadyExistsException:
        return
    ecr.put_image(repositoryName=REPOSITORY, imageManifest="{}", imageTag="latest")


def role(iam) -> str:
    """The ARN of the machines' role, which is made if it is not there."""
    account = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}  # the local fleet itself: it stands in for EC2
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": account, "Action": "sts:AssumeRole"}],
    }
    try:
        return iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "EntityAlreadyExists":
            raise
        return iam.get_role(RoleName=NAME)["Role"]["Arn"]
