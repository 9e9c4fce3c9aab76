//! `GET /workspaces/{id}/console`

use e2e::{Answer, counted::InCall};
use fleet::{
    Crew, console,
    machines::fake::{FakeEc2, Fault, Op},
};
use uuid::Uuid;

use super::Yard;

pub(super) async fn asked(yard: &Yard, call: InCall) -> Answer {
    let crew: &Crew<FakeEc2> = Box::leak(Box::new(Crew {
        app: yard.inside.app,
        machines: yard.ec2.clone(),
    }));
    call.to(crew, console::handle).await
}

#[tokio::test]
async fn operators_see_what_a_machine_printed() {
    let yard = Yard::new().await;
    let own = yard.workspace().await;
    let path = format!("/workspaces/{}/console", own.0);
    let get = || yard.inside.get(&path).bearer(&yard.inside.admin);
    let none = asked(&yard, get()).await.expect(200);
    assert_eq!(none.json["output"], "");
    yard.provision(own, 1).await.expect("made");
    let machine = yard.machine_of(own).await;
    yard.ec2.print(&machine.id, "it boots\n");
    let shown = asked(&yard, get()).await.expect(200);
    assert_eq!(shown.json["output"], "it boots\n");
    assert_eq!(shown.header("cache-control"), "no-store");

    yard.ec2.fail(Op::Console, Fault::THROTTLED);
    let refused = asked(&yard, get()).await;
    let sentence = "control plane returned an error fetching console output";
    assert_eq!(refused.error(), (502, sentence));
    assert_eq!(asked(&yard, yard.inside.get(&path)).await.status, 401);
    let nobody = yard
        .inside
        .get(&format!("/workspaces/{}/console", Uuid::new_v4()));
    let nobody = nobody.bearer(&yard.inside.admin);
    assert_eq!(
        asked(&yard, nobody).await.error(),
        (404, "workspace not found")
    );
    let garbled = yard.inside.get("/workspaces/x/console");
    let garbled = asked(&yard, garbled.bearer(&yard.inside.admin)).await;
    assert_eq!(garbled.error(), (400, "workspace id required"));

    // This deployment has no backend.
    let absent = get().await;
    let sentence = "console output unavailable on this deployment (no control plane)";
    assert_eq!(absent.error(), (501, sentence));
}
