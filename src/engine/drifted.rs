//! What a person does about a destination that holds another key than the one that was left there.

/// Each line of it: a sentence, or a command.
pub(super) fn remedy(target: &str) -> Vec<String> {
    vec![
        "put the key back that was delivered there, or have it rotated by hand; or accept what is there:".to_owned(),
        format!("rotate confirm {target}"),
    ]
}
