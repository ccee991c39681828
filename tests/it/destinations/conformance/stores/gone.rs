//! Stores that were deleted as a whole after a rotation.

use rotate_fixtures::Ran;

use super::*;

/// A rotation that has ended well, of a target that a fleet looks at from now on.
fn ended<S: Store>() -> Way<S> {
    let way = Way::<S>::new();
    way.rotate(&[]).expect(0);
    way.ran(way.store.place().command(["confirm", TARGET])).expect(0);
    way.configure();
    way.later(8, "run").expect(0);
    way
}

fn is_told_as_gone<S: Store>(ran: &Ran) -> bool {
    let destination = format!("destination {}", S::KIND);
    ran.stdout.contains(&destination) && ran.stdout.contains(" is gone, or these credentials do not lead")
}

pub(super) fn what_is_deleted_after_a_rotation_is_told_as_gone_wherever_it_can_be_looked_at<S: Store>() {
    let way = ended::<S>();
    way.store.remove();
    let (ran, examined) = (way.later(16, "run"), way.later(16, "doctor"));
    match S::can().readable {
        true => assert!(
            is_told_as_gone::<S>(&ran.expect(3)) && is_told_as_gone::<S>(&examined.expect(1)),
            "it is not told as gone"
        ),
        // Of what nobody can read nothing is compared.
        false => assert!(!is_told_as_gone::<S>(&ran.expect(0)) && !is_told_as_gone::<S>(&examined)),
    }
}

/// A proxy, a gateway or a page of somebody else's answers so for whatever is asked.
pub(super) fn what_only_stands_on_the_way_is_not_believed_that_it_is_gone<S: Store>() {
    let way = ended::<S>();
    let page = "<html>404 Not Found</html>";
    way.store.door().answer_all(&format!(
        "HTTP/1.1 404 Not Found\r\ncontent-type: text/html\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{page}",
        page.len()
    ));
    let ran = way.later(16, "run").expect(0);
    assert!(!is_told_as_gone::<S>(&ran), "{ran:#?}");
    let could_not = format!("could not look what destination {}", S::KIND);
    assert_eq!(ran.stderr.contains(&could_not), S::can().readable, "{ran:#?}");
}
