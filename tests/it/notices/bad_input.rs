//! Receivers that hang, lead elsewhere or lie; addresses that nothing is sent to; names that would be mark-up.

use rotate_fixtures::Trap;
use rotate_fixtures::receiver::Reply;

use super::{DAY, Desk, WEBHOOK};

/// What is said of a receiver that answers like this, by a run that ends as if nobody were to be told.
fn untold(notify: &str, reply: Reply) -> String {
    let mut desk = Desk::with(notify);
    desk.place.add_user("main", DAY * 170, "");
    desk.receiver.answers(reply);
    let ran = desk.run(&["run"]).expect(0);
    desk.no_secret_in(&ran.stderr);
    assert!(
        !ran.stderr.contains(&desk.receiver.url()),
        "an address is a secret: {}",
        ran.stderr
    );
    let lines = ran.stderr.lines().filter(|line| line.contains("was not told"));
    lines.collect()
}

#[test]
fn a_redirect_is_not_followed() {
    let trap = Trap::set();
    let place = format!("http://{}/", trap.address());
    let said = untold(WEBHOOK, Reply::Elsewhere(place));
    assert!(said.contains("it leads elsewhere"), "{said}");
    assert!(trap.is_untouched());
}

#[test]
fn a_good_status_with_a_failure_in_it_is_a_failure() {
    let slack = "[[notify]]\nname = \"ops\"\nslack = { url_env = \"HOOK_URL\" }\n";
    let teams = "[[notify]]\nname = \"ops\"\nteams = { url_env = \"HOOK_URL\" }\n";
    let failed = "Webhook message delivery failed with error: CANARY";
    for (notify, reply) in [
        (WEBHOOK, "{\"ok\": false}"),
        (WEBHOOK, "{\"error\": \"CANARY\"}"),
        (slack, "no_service"),
        (teams, failed),
    ] {
        let said = untold(notify, Reply::With(200, reply));
        assert!(said.contains("2 notices wait; it answered"), "{notify}: {said}");
        assert!(!said.contains("CANARY"), "{said}");
    }
    for (notify, reply) in [
        (WEBHOOK, ""),
        (WEBHOOK, "{\"ok\": true}"),
        (WEBHOOK, "{\"success\": true, \"errors\": []}"),
        (WEBHOOK, "{\"error\": {}, \"errors\": 0}"),
        (slack, "ok"),
        (teams, "1"),
    ] {
        assert_eq!(untold(notify, Reply::With(200, reply)), "", "{notify}");
    }
}

#[test]
fn whoever_never_answers_costs_a_bounded_time() {
    let mut desk = Desk::with(WEBHOOK);
    for user in ["a", "b", "c"] {
        desk.place.add_user(user, DAY * 170, "");
    }
    desk.receiver.answers(Reply::Never);
    let ran = desk.run(&["run"]).expect(0);
    // One of the six is waited for, and the others with it.
    assert_eq!(desk.receiver.take().len(), 1);
    assert!(ran.stderr.contains("6 notices wait; "), "{}", ran.stderr);
}

#[test]
fn a_private_address_is_called_only_where_that_is_allowed_and_metadata_never() {
    for (url, said) in [
        ("https://10.255.255.1/hook", "if that is right: allow_private = true"),
        (
            "http://hooks.example.com/",
            "its address is neither https nor of this machine",
        ),
        ("https://169.254.169.254/", "leads to where nothing is sent"),
        (
            "https://nobody-canary.invalid/hook",
            "its name could not be looked up, or has no address",
        ),
        ("", "it is not set"),
    ] {
        let mut desk = Desk::with(WEBHOOK);
        desk.place.add_user("main", DAY * 170, "");
        let ran = desk.run_with(&["run"], &[("HOOK_URL", url)]).expect(0);
        assert!(ran.stderr.contains(said), "{url}: {}", ran.stderr);
        assert!(url.is_empty() || !ran.stderr.contains(url), "{}", ran.stderr);
        assert!(
            !ran.stderr.contains("canary"),
            "a name may be the secret: {}",
            ran.stderr
        );
    }
}

#[test]
fn a_secret_that_is_none_signs_nothing() {
    let desk = Desk::new();
    let ran = desk.run_with(&["run"], &[("HOOK_SECRET", "hunter2-CANARY")]).expect(0);
    assert!(
        ran.stderr.contains("its secret is none of Standard Webhooks"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains("CANARY"), "{}", ran.stderr);
    assert_eq!(desk.receiver.take().len(), 0);
}

#[test]
fn a_hostile_owner_stays_text() {
    let hostile = "owner = \"<!channel> *x* \\u001b[31m</b><script>\"";
    let mut desk = Desk::with("[[notify]]\nslack = { url_env = \"HOOK_URL\" }\n");
    desk.place.add_user("main", DAY * 170, hostile);
    desk.run(&["run"]).expect(0);
    let calls = desk.receiver.take();
    assert_eq!(calls.len(), 2);
    for call in calls {
        let text = call.document()["text"].as_str().unwrap().to_owned();
        assert!(
            text.contains("&lt;!channel&gt; *x* \u{fffd}[31m&lt;/b&gt;&lt;script&gt;"),
            "{text}"
        );
    }
}
