//! How long a call to the fake takes, seen by a caller that does nothing else.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rotate_fixtures::FakeAws;

use super::median;

const CALLS: usize = 41;

/// Seconds that one call takes, connection included, where the fake waits this long before it replies: its timer ticks in
/// milliseconds and rounds up, and its server takes time of its own, none of which is the program's.
pub(super) fn bare(delay: Duration) -> f64 {
    let fake = FakeAws::start();
    fake.latency(delay);
    let endpoint = fake.endpoint();
    let address = endpoint.strip_prefix("http://").expect("the fake speaks plain HTTP");
    let mut seconds: Vec<f64> = (0..CALLS)
        .map(|_| {
            let begun = Instant::now();
            let mut connection = TcpStream::connect(address).expect("the fake listens");
            let request =
                format!("POST / HTTP/1.1\r\nhost: {address}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            connection.write_all(request.as_bytes()).expect("a request can be sent");
            let mut reply = Vec::new();
            connection.read_to_end(&mut reply).expect("the fake replies");
            assert!(reply.starts_with(b"HTTP/1.1 "), "{}", String::from_utf8_lossy(&reply));
            begun.elapsed().as_secs_f64()
        })
        .collect();
    let median = median(&mut seconds);
    println!(
        "a bare call to the fake takes {:.2} ms (median of {CALLS})",
        median * 1e3
    );
    median
}
