//! The login at Snowflake with a password, at the fake one: it counts the tries.

use rotate_fixtures::FakeSnowflake;
use rotate_fixtures::snowflake::{Action, Fault, Means};
use rotate_providers::guide::probe::{How, Outcome, Verdict, Which};
use rotate_providers::guide::{Guide, Template};
use rotate_providers::secret::Secret;

use super::{expect, guide, network, try_once, values};

const USER: &str = "GAINSIGHT";
const PASSWORD: &str = "Canary-snow-7Qx!\u{e9}\"\\ z";
const TOKEN: &str = "eyJraWQiOiIxMjM0NTY3ODkwIn0.eyJjYW5hcnkiOiJzbm93In0.c2lnbmF0dXJl";

/// An account with one user, and the guide that is to call it.
fn desk() -> (FakeSnowflake, Guide) {
    let snowflake = FakeSnowflake::start();
    snowflake.add_user(USER);
    snowflake.set_password(USER, PASSWORD);
    snowflake.set_programmatic_token(USER, TOKEN);
    let mut guide = guide("snowflake-password");
    let here = format!(
        "{}/session/v1/login-request",
        snowflake.endpoint().trim_end_matches('/')
    );
    let probe = guide.probe.as_mut().expect("it has a probe");
    let ways = std::iter::once(&mut probe.how).chain(probe.or.iter_mut().map(|way| &mut way.how));
    for how in ways {
        let How::JsonLogin(login) = how else { continue };
        login.url = Template::parse(&here).expect("no value in it");
    }
    (snowflake, guide)
}

async fn sign_in(guide: &Guide, account: &str, user: &str, password: &str) -> Outcome {
    sign_in_with(guide, "key-pair", account, user, password).await
}

/// The same, where this takes the place of the password, and no rotation is under way.
async fn sign_in_with(guide: &Guide, successor: &str, account: &str, user: &str, secret: &str) -> Outcome {
    let mut network = network(None);
    network.allow_hosts = vec!["127.0.0.1".to_owned()];
    let given = values(&[("user", user), ("account", account), ("successor", successor)]);
    try_once(guide, &given, secret, &network).await
}

#[tokio::test]
async fn a_password_is_accepted_and_any_other_is_rejected_each_after_one_try() {
    let (snowflake, guide) = desk();
    // In an address a region follows the account; who signs in leaves it out.
    for account in [
        snowflake.account().to_owned(),
        format!("{}.eu-central-1", snowflake.locator()),
    ] {
        expect(
            &sign_in(&guide, &account, USER, PASSWORD).await,
            Verdict::Accepted,
            "http-200",
        );
    }
    let account = snowflake.account();
    expect(
        &sign_in(&guide, account, USER, "wrong").await,
        Verdict::Rejected,
        "http-200",
    );
    expect(
        &sign_in(&guide, account, "NOBODY", PASSWORD).await,
        Verdict::Rejected,
        "http-200",
    );
    assert_eq!(snowflake.count_of(Action::Login), 4);
    assert_eq!(snowflake.calls().len(), 4, "nothing but logins");
    let accounts: Vec<String> = snowflake.logins().into_iter().map(|login| login.account).collect();
    assert_eq!(
        accounts,
        [snowflake.account(), snowflake.locator()],
        "a region is no part of the name"
    );
}

#[tokio::test]
async fn a_token_is_tried_as_a_token_and_never_counts_as_a_wrong_password() {
    let (snowflake, guide) = desk();
    let account = snowflake.account();
    let outcome = sign_in_with(&guide, "token", account, USER, TOKEN).await;
    expect(&outcome, Verdict::Accepted, "http-200");
    assert!(outcome.reason.contains("with the token"), "{}", outcome.reason);
    assert_eq!(snowflake.logins()[0].means, Means::Programmatic);
    for _ in 0..6 {
        let outcome = sign_in_with(&guide, "token", account, USER, &TOKEN.replace("c2ln", "xxxx")).await;
        expect(&outcome, Verdict::Rejected, "http-200");
        assert!(outcome.reason.contains("394400"), "{}", outcome.reason);
    }
    assert_eq!(snowflake.wrong_passwords(USER), 0);
    let outcome = sign_in(&guide, account, USER, PASSWORD).await;
    expect(&outcome, Verdict::Accepted, "http-200");
    assert!(outcome.reason.contains("with the password"), "{}", outcome.reason);
    assert_eq!(snowflake.logins()[1].means, Means::Password);
    sign_in(&guide, account, USER, "wrong").await;
    assert_eq!(snowflake.wrong_passwords(USER), 1, "the fake counts nothing");
}

#[test]
fn which_of_the_two_it_is_says_the_rotation_and_outside_of_one_the_answer() {
    let guide = guide("snowflake-password");
    let probe = guide.probe.as_ref().expect("it has a probe");
    let tried = |successor: &str, which: Option<Which>| {
        let way = probe.fitting(&values(&[("successor", successor)]), which);
        way.map(|way| way.secret.what.as_str())
    };
    let (password, token) = (Some("the password"), Some("the programmatic access token"));
    for (successor, outside, new) in [("token", token, token), ("key-pair", password, None)] {
        assert_eq!(tried(successor, None), outside, "{successor}");
        assert_eq!(tried(successor, Some(Which::Present)), password, "{successor}");
        assert_eq!(tried(successor, Some(Which::New)), new, "{successor}");
    }
    // A password that is given where the token is meant is not sent: outside of a rotation it may still be in use.
    let way = probe.fitting(&values(&[("successor", "token")]), None).expect("a way");
    let flaw = |secret: &str| way.secret.flaw(&Secret::new(secret), &values(&[]));
    for password in [PASSWORD, "e", "ex7Qx!", "x", "\u{e9}y"] {
        assert!(
            flaw(password).is_some_and(|flaw| flaw.contains("without --successor token")),
            "{password}"
        );
    }
    assert_eq!(flaw(TOKEN), None);
    // A token that is given where the password is meant is not sent.
    let way = probe
        .fitting(&values(&[("successor", "token")]), Some(Which::Present))
        .expect("a way");
    let flaw = way.secret.flaw(&Secret::new(TOKEN), &values(&[]));
    assert!(flaw.is_some_and(|flaw| flaw.contains("--successor token")));
}

#[tokio::test]
async fn what_else_keeps_a_user_out_says_nothing_about_the_password() {
    let (snowflake, guide) = desk();
    let account = snowflake.account();
    for (set, why) in [
        ((|it| it.set_locked(USER, true)) as fn(&FakeSnowflake), "locked"),
        (|it| it.set_disabled(USER, true), "disabled"),
        (|it| it.network_policy(USER, true), "network policy"),
        (
            |it| {
                let words = "Multi-factor authentication is required for this account. Log in to Snowsight to enroll.";
                it.refuse_logins(USER, "394511", words);
            },
            "second factor",
        ),
        (
            |it| it.refuse_logins(USER, "399999", "Incorrect username or password was specified."),
            "no meaning",
        ),
    ] {
        set(&snowflake);
        for password in [PASSWORD, "wrong"] {
            let outcome = sign_in(&guide, account, USER, password).await;
            expect(&outcome, Verdict::Inconclusive, "http-200");
            assert!(outcome.reason.contains(why), "{}", outcome.reason);
        }
        snowflake.set_locked(USER, false);
        snowflake.set_disabled(USER, false);
        snowflake.network_policy(USER, false);
        snowflake.allow_logins(USER);
    }
    expect(
        &sign_in(&guide, account, USER, PASSWORD).await,
        Verdict::Accepted,
        "http-200",
    );
}

#[tokio::test]
async fn trouble_on_the_way_is_inconclusive_and_nobody_tries_again() {
    for (fault, class) in [
        (Fault::StatusBefore(503), "http-503"),
        (Fault::StatusBefore(429), "http-429"),
        (Fault::StatusBefore(403), "http-403"),
        (Fault::MalformedAfter, "http-200"),
        (Fault::DropAfter, "connection"),
    ] {
        let (snowflake, guide) = desk();
        snowflake.break_every(Action::Login, fault);
        let outcome = sign_in(&guide, snowflake.account(), USER, PASSWORD).await;
        assert_eq!(outcome.verdict, Verdict::Inconclusive, "{class}");
        assert!(
            *outcome.class == *class || fault == Fault::DropAfter,
            "{}",
            outcome.class
        );
        assert!(!outcome.may_be_repeated, "{class}");
        assert_eq!(snowflake.count_of(Action::Login), 1, "{class}");
    }
}
