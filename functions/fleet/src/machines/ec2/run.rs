//! RunInstances: one machine per token.

use aws_sdk_ec2::{
    config::{Config, retry::RetryConfig},
    operation::run_instances::builders::RunInstancesFluentBuilder,
    types::{
        HttpTokensState, InstanceMetadataEndpointState, InstanceMetadataOptionsRequest,
        InstanceType, LaunchTemplateSpecification, ResourceType, ShutdownBehavior, Tag,
        TagSpecification,
    },
};

use super::{Ec2, failure::trouble, read};
use crate::machines::{
    Class, Launch, Machine, Trouble, tags,
    user_data::{encoded, user_data},
};

impl Ec2 {
    /// Makes a machine, or answers with the one this token made.
    pub(super) async fn run(&self, launch: &Launch) -> Result<Machine, Trouble> {
        // No retries here: "no capacity" comes as a 500, which the SDK would take for a hiccup, and
        // whoever asked tries again with the same token anyway.
        let once = Config::builder().retry_config(RetryConfig::disabled());
        let request = self.request(launch)?;
        let answer = request.customize().config_override(once).send().await;
        let answer = answer.map_err(trouble)?;
        let Some(instance) = answer.instances().first() else {
            return Err(Trouble::new(Class::Unknown, "an answer without a machine"));
        };
        let (mut machine, _) = read::machine(instance, &self.settings.stack)?;
        if machine.state.is_ended() {
            return Err(Trouble::new(Class::Spent, "its machine is dead"));
        }
        // Where the answer leaves out what was asked for (the emulator does), it is still so.
        machine.owner.get_or_insert(launch.owner());
        if machine.client_token.is_empty() {
            machine.client_token = launch.token();
        }
        Ok(machine)
    }

    /// The request (contract: lifecycle-and-sweepers 10.2). Everything in it follows from the launch
    /// and the settings: a repeat that differs in a byte is refused.
    fn request(&self, launch: &Launch) -> Result<RunInstancesFluentBuilder, Trouble> {
        let settings = &self.settings;
        let place = settings
            .places
            .of(launch.tier, launch.workspace_id, launch.attempt);
        let template = LaunchTemplateSpecification::builder()
            .launch_template_id(&settings.launch_template)
            .version(&settings.launch_template_version)
            .build();
        // One hop: the host's boot script reaches the metadata, a container's network does not, and
        // so an agent cannot prove to be its machine.
        let metadata = InstanceMetadataOptionsRequest::builder()
            .http_endpoint(InstanceMetadataEndpointState::Enabled)
            .http_tokens(HttpTokensState::Required)
            .http_put_response_hop_limit(1)
            .build();
        Ok(self
            .client
            .run_instances()
            .client_token(launch.token())
            .min_count(1)
            .max_count(1)
            .launch_template(template)
            .instance_type(InstanceType::from(place.instance_type))
            .subnet_id(place.subnet)
            .user_data(encoded(&user_data(launch, &settings.stack)?))
            .instance_initiated_shutdown_behavior(ShutdownBehavior::Terminate)
            .metadata_options(metadata)
            .tag_specifications(self.tagged(ResourceType::Instance, launch))
            .tag_specifications(self.tagged(ResourceType::Volume, launch)))
    }

    fn tagged(&self, kind: ResourceType, launch: &Launch) -> TagSpecification {
        let (stack, org) = (&self.settings.stack, self.settings.org.as_deref());
        let tags = tags::of(launch, stack, org)
            .into_iter()
            .map(|(key, value)| Tag::builder().key(key).value(value).build())
            .collect();
        TagSpecification::builder()
            .resource_type(kind)
            .set_tags(Some(tags))
            .build()
    }
}
