//! A program on this machine.

use std::time::Duration;

use super::{Fault, Message};
use crate::delivery::Notified;

/// Hands a notice to the program, which ends within this time.
pub(super) async fn send(program: &Notified, message: &Message<'_>, time: Duration) -> Result<(), Fault> {
    let notice = message.notice;
    let variables = vec![
        ("ROTATE_NOTICE", notice.kind.name().to_owned()),
        ("ROTATE_NOTICE_ID", notice.id.clone()),
    ];
    let told = program.tell(&notice.document(), variables, time).await;
    told.map_err(|untaken| match untaken.is_late {
        // The next one would cost as much time.
        true => Fault::of_way(untaken.why),
        // It may well take the next one.
        false => Fault::of_message(untaken.why),
    })
}
