//! What allows a call that is not allowed: the policy, and the command that attaches it to whoever was refused.

use rotate_providers::s3_customer_managed::{Lacking, Login};
use rotate_providers::shell::quoted;

/// What a policy that names the program's own grants is called.
const POLICY: &str = "rotate-delivers";

/// What a store asks of whoever delivers there.
pub(in crate::delivery) struct Permissions {
    /// All that a delivery and its undoing call.
    pub(in crate::delivery) actions: &'static [&'static str],
    /// What is called with the key that encrypts, where it is not AWS's own.
    pub(in crate::delivery) of_the_key: &'static str,
    /// What they are called on.
    pub(in crate::delivery) resource: String,
}

impl Permissions {
    /// What of it is missing to whoever logs in like this, as IAM's simulator says.
    /// That, and what grants it.
    pub(in crate::delivery) async fn lacking(&self, login: &Login) -> Option<(String, String)> {
        let Lacking { who, actions } = login.lacks(self.actions, &self.resource).await?;
        let what = format!("no policy of {who} allows {}", actions.join(" and "));
        Some((what, self.granted_to(of_arn(&who))))
    }

    /// How an administrator allows them to whom this message of AWS names.
    pub(super) fn remedy(&self, message: Option<&str>) -> String {
        self.granted_to(message.and_then(refused))
    }

    fn granted_to(&self, who: Option<Refused>) -> String {
        let document = self.document();
        let grant = match who {
            Some(Refused::User(name)) => format!(
                "aws iam put-user-policy --user-name {} --policy-name {POLICY} --policy-document {}",
                quoted(&name),
                quoted(&document)
            ),
            Some(Refused::Role(name)) => format!(
                "aws iam put-role-policy --role-name {} --policy-name {POLICY} --policy-document {}",
                quoted(&name),
                quoted(&document)
            ),
            None => document,
        };
        format!(
            "have an administrator of the account grant it, and where it has a KMS key of its own {} on that:\n{grant}",
            self.of_the_key
        )
    }

    fn document(&self) -> String {
        serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Action": self.actions, "Resource": self.resource }],
        })
        .to_string()
    }
}

/// Who was refused.
#[derive(Debug, PartialEq, Eq)]
enum Refused {
    User(String),
    Role(String),
}

/// Whom AWS names: `User: ARN is not authorized to perform: …`. Its words come from outside, so only what can be a name is taken.
fn refused(message: &str) -> Option<Refused> {
    of_arn(message.split_once("User: ")?.1.split(' ').next()?)
}

fn of_arn(arn: &str) -> Option<Refused> {
    let (_, path) = arn.strip_prefix("arn:")?.rsplit_once(':')?;
    let mut parts = path.split('/');
    let kind = parts.next()?;
    // The path of a user stands before the name, and that of a role is left out.
    let name = match kind {
        "user" | "role" => parts.next_back()?,
        "assumed-role" => parts.next()?,
        _ => return None,
    };
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "+=,.@_-".contains(letter);
    if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
        return None;
    }
    let name = name.to_owned();
    Some(if kind == "user" {
        Refused::User(name)
    } else {
        Refused::Role(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_was_refused_is_read_from_the_message_and_nothing_else_is() {
        let told = |arn: &str| {
            refused(&format!(
                "User: {arn} is not authorized to perform: ssm:PutParameter on resource: x"
            ))
        };
        assert_eq!(
            told("arn:aws:iam::123456789012:user/ops/rotator"),
            Some(Refused::User("rotator".to_owned()))
        );
        assert_eq!(
            told("arn:aws-cn:sts::123456789012:assumed-role/deploy/session-1"),
            Some(Refused::Role("deploy".to_owned()))
        );
        for odd in [
            "arn:aws:iam::1:root",
            "arn:aws:iam::1:user/$(id)",
            "arn:aws:iam::1:user/",
            "nobody",
        ] {
            assert_eq!(told(odd), None, "{odd}");
        }
        assert_eq!(refused("access denied"), None);
    }

    #[test]
    fn the_command_is_one_line_that_a_shell_takes_as_it_stands() {
        let permissions = Permissions {
            actions: &["ssm:GetParameter"],
            of_the_key: "kms:Decrypt",
            resource: "arn:aws:ssm:*:*:parameter/a".to_owned(),
        };
        let remedy = permissions.remedy(Some("User: arn:aws:iam::1:user/rotator is not authorized"));
        let (_, command) = remedy.split_once('\n').expect("a line of its own");
        let words = shlex::split(command).expect("a shell understands it");
        assert_eq!(words[..5], ["aws", "iam", "put-user-policy", "--user-name", "rotator"]);
        let document: serde_json::Value = serde_json::from_str(&words[8]).expect("it is JSON");
        assert_eq!(document["Statement"][0]["Action"][0], "ssm:GetParameter");
    }
}
