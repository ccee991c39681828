//! Many credentials, from one file: what is due, and the evidence for whoever asks.

use std::path::Path;
use std::process::{Command, Stdio};

use jiff::{SignedDuration, Timestamp};
use rotate_fixtures::FleetWorkplace;

use crate::stage::Stage;
use crate::verdict::near;

const DAY: SignedDuration = SignedDuration::from_hours(24);

pub(crate) fn play(stage: &Stage, program: &Path, folder: &Path, report: &Path) {
    stage.scene("A fleet, from one file");
    let place = fleet(program, folder);
    let rotate = |arguments: &[&str], code: i32| stage.run(place.command(arguments), arguments, code);

    stage.say(
        "Three keys at AWS, of 30, 160 and 400 days, and one that a person replaces. None may get older than 180 days.",
    );
    stage.say("The plan only reads. In CI it is a comment on the pull request that changes the file.");
    rotate(&["plan"], 0);

    stage.say("A run, from cron, begins what is due, and says what a person has to do.");
    stage.run_briefly(place.command(["run"]), &["run"], 0, 12);

    stage.say("And the evidence that an auditor asks for, as one page.");
    rotate(&["report", "--file", "report.html"], 0);
    match std::fs::copy(place.path("report.html"), report) {
        Ok(_) => stage.show(&format!("It is kept: {}", near(report))),
        Err(error) => stage.expect(false, || format!("{}: {error}", report.display())),
    }
    if let Some(viewer) = stage.viewer() {
        let mut viewer = Command::new(viewer);
        viewer.arg(report).stdin(Stdio::null());
        // Who has no viewer has the path.
        let _ = viewer.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    }
}

fn fleet(program: &Path, folder: &Path) -> FleetWorkplace {
    let mut place = FleetWorkplace::in_folder(program, folder);
    let last = (Timestamp::now() - DAY * 175).strftime("%F").to_string();
    place.configure(&format!(
        "[defaults]\nmax_age = \"180d\"\n\n[[target]]\nname = \"helpdesk\"\nconnector = \"freshdesk\"\ndomain = \"acme\"\n\
         agent = \"gainsight@acme.example\"\nlast_rotated = \"{last}\"\nowner = \"support@acme.example\"\n"
    ));
    for (user, days) in [("billing-export", 30), ("gainsight-s3", 160), ("legacy-sync", 400)] {
        let _ = place.add_user(user, DAY * days, "owner = \"data@acme.example\"");
    }
    place
}
