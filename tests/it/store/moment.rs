//! What is read is of one moment, however much is written meanwhile.

use std::cell::Cell;

use super::*;

#[tokio::test]
async fn nothing_that_is_read_while_somebody_writes_is_taken_for_changed() {
    let place = Embedded::new();
    let (writer, reader) = (place.open().await, place.open().await);
    let is_writing = Cell::new(true);
    let writing = async {
        let lease = writer.lease().await.expect("nobody else has it");
        for number in 0..200 {
            let mut growing = Growing::new(format!("r{number:03}").leak(), TARGET);
            let events = [opened("AKIAOLD"), Event::Aborted];
            growing.add_all(&*writer, &lease, &events).await;
        }
        is_writing.set(false);
    };
    let reading = async {
        while is_writing.get() {
            reader.summaries().await.expect("nobody has changed it");
            reader.latest(TARGET).await.expect("nobody has changed it");
        }
    };
    tokio::join!(writing, reading);
}
