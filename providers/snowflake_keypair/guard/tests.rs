//! What a guard lets through, asked as a client asks its proxy, byte by byte.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::*;

/// Nothing here takes as long: it only keeps a test that fails from hanging.
const LIMIT: Duration = Duration::from_secs(30);

/// A server that answers each connection with these bytes, once it has read a request's head, and remembers the heads.
async fn server(answer: Vec<u8>) -> (SocketAddr, Arc<std::sync::Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heads = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = Arc::clone(&heads);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let head = head(&mut stream).await;
            seen.lock().unwrap().push(head);
            let _ = stream.write_all(&answer).await;
        }
    });
    (address, heads)
}

async fn head(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => text.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(text).unwrap()
}

fn ok(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn login(guard: &Guard) -> String {
    let login = BASE64_STANDARD.encode(format!("{USER}:{}", guard.password));
    format!("proxy-authorization: Basic {login}\r\n")
}

async fn guard_of(endpoint: &str) -> Guard {
    Guard::start(&Url::parse(endpoint).unwrap()).await.unwrap()
}

/// What comes back for this request, up to the end of its head.
async fn asked(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    timeout(LIMIT, head(stream)).await.unwrap()
}

/// What a call comes to that never ends by itself.
async fn stopped(guard: &Guard, meanwhile: impl Future<Output = ()>) -> Stopped {
    let call = guard.watch(std::future::pending::<Result<(), ()>>());
    let (outcome, ()) = tokio::join!(timeout(LIMIT, call), meanwhile);
    outcome.expect("the call was stopped").unwrap_err()
}

#[tokio::test]
async fn only_the_client_itself_is_served() {
    let (address, heads) = server(ok("")).await;
    let guard = guard_of(&format!("http://{address}")).await;
    for login in ["", "proxy-authorization: Basic Z3VhcmQ6Z3Vlc3NlZA==\r\n"] {
        let mut stream = TcpStream::connect(guard.address).await.unwrap();
        let request = format!("GET http://{address}/ HTTP/1.1\r\nhost: {address}\r\n{login}\r\n");
        let answer = asked(&mut stream, &request).await;
        assert!(answer.starts_with("HTTP/1.1 407 "), "{answer}");
    }
    assert!(heads.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_endpoint_never_sees_what_is_meant_for_the_guard() {
    let (address, heads) = server(ok("")).await;
    let guard = guard_of(&format!("http://{address}")).await;
    let mut stream = TcpStream::connect(guard.address).await.unwrap();
    let request = format!(
        "GET http://{address}/a?b=c HTTP/1.1\r\nhost: {address}\r\n{}\r\n",
        login(&guard)
    );
    let answer = asked(&mut stream, &request).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let heads = heads.lock().unwrap().clone();
    assert!(heads[0].starts_with("GET /a?b=c HTTP/1.1\r\n"), "{heads:?}");
    assert!(
        !heads[0].contains("proxy-authorization") && !heads[0].contains("Basic"),
        "{heads:?}"
    );
}

#[tokio::test]
async fn each_request_of_a_connection_is_looked_at_by_itself() {
    let (address, heads) = server(ok("")).await;
    let (elsewhere, others) = server(ok("")).await;
    let guard = guard_of(&format!("http://{address}")).await;
    let mut stream = TcpStream::connect(guard.address).await.unwrap();
    let to = |place: SocketAddr| {
        format!(
            "POST http://{place}/ HTTP/1.1\r\nhost: {address}\r\ncontent-length: 6\r\n{}\r\nsecret",
            login(&guard)
        )
    };
    let answer = asked(&mut stream, &to(address)).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let why = stopped(&guard, async {
        let answer = asked(&mut stream, &to(elsewhere)).await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    })
    .await;
    assert_eq!(why, Stopped::Redirect(format!("http://{elsewhere}")));
    assert_eq!(heads.lock().unwrap().len(), 1);
    assert!(others.lock().unwrap().is_empty(), "a request arrived elsewhere");
}

/// The client leaves its login out where it repeats a request elsewhere, over plain http.
#[tokio::test]
async fn a_stranger_stops_no_call_and_a_client_without_its_login_hears_why() {
    let (elsewhere, others) = server(ok("")).await;
    let guard = guard_of("http://127.0.0.1:1").await;
    let mut stream = TcpStream::connect(guard.address).await.unwrap();
    let heard = guard.watch(async {
        let request = format!("POST http://{elsewhere}/a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut text = String::new();
        stream.read_to_string(&mut text).await?;
        Ok::<_, io::Error>(text)
    });
    let heard = heard.await.unwrap().unwrap();
    let (head, body) = heard.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 407 "), "{head}");
    assert_eq!(
        refused_place(&format!("HTTP 407: {body}")),
        Some(format!("http://{elsewhere}"))
    );
    assert_eq!(refused_place("HTTP 407: something else"), None);
    assert!(others.lock().unwrap().is_empty(), "a request arrived elsewhere");
}

#[tokio::test]
async fn no_tunnel_leads_elsewhere() {
    let (address, heads) = server(ok("")).await;
    for (endpoint, asked_for) in [
        ("https://127.0.0.1:1".to_owned(), address.to_string()),
        (format!("https://localhost:{}", address.port()), address.to_string()),
        (format!("http://{address}"), address.to_string()),
    ] {
        let guard = guard_of(&endpoint).await;
        let mut stream = TcpStream::connect(guard.address).await.unwrap();
        let request = format!(
            "CONNECT {asked_for} HTTP/1.1\r\nhost: {asked_for}\r\n{}\r\n",
            login(&guard)
        );
        let why = stopped(&guard, async {
            let answer = asked(&mut stream, &request).await;
            assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
        })
        .await;
        assert_eq!(why, Stopped::Redirect(format!("https://{address}")));
    }
    assert!(heads.lock().unwrap().is_empty(), "a tunnel was made");
}

#[tokio::test]
async fn a_tunnel_passes_on_what_it_is_given_and_no_more_than_an_answer_may_have() {
    for (length, is_whole) in [(LONGEST_ANSWER, true), (LONGEST_ANSWER + LONGEST_HANDSHAKE + 1, false)] {
        let (address, _) = server(vec![b'x'; length]).await;
        let guard = guard_of(&format!("https://{address}")).await;
        let mut stream = TcpStream::connect(guard.address).await.unwrap();
        let request = format!("CONNECT {address} HTTP/1.1\r\nhost: {address}\r\n{}\r\n", login(&guard));
        let answer = asked(&mut stream, &request).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        let through = async {
            stream.write_all(b"hello\r\n\r\n").await.unwrap();
            let mut received = Vec::new();
            let _ = stream.read_to_end(&mut received).await;
            received.len()
        };
        if is_whole {
            assert_eq!(timeout(LIMIT, through).await.unwrap(), length);
        } else {
            let why = stopped(&guard, async {
                through.await;
            })
            .await;
            assert_eq!(why, Stopped::Endless);
        }
    }
}

#[tokio::test]
async fn a_plain_answer_without_end_is_stopped_however_it_is_framed() {
    let long = "x".repeat(LONGEST_ANSWER + 1);
    let chunk = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{long}\r\n",
        long.len()
    );
    let until_the_end = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{long}");
    // What is read at once may be longer than that by a little.
    let header = format!("HTTP/1.1 200 OK\r\nx: {long}{long}{long}\r\ncontent-length: 0\r\n\r\n");
    for answer in [
        ok(&long),
        chunk.into_bytes(),
        until_the_end.into_bytes(),
        header.into_bytes(),
    ] {
        let (address, _) = server(answer).await;
        let guard = guard_of(&format!("http://{address}")).await;
        let mut stream = TcpStream::connect(guard.address).await.unwrap();
        let request = format!(
            "GET http://{address}/ HTTP/1.1\r\nhost: {address}\r\n{}\r\n",
            login(&guard)
        );
        let why = stopped(&guard, async {
            let request = request.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut received = Vec::new();
            let _ = stream.read_to_end(&mut received).await;
            assert!(received.len() <= LONGEST_ANSWER + 1024, "{}", received.len());
        })
        .await;
        assert_eq!(why, Stopped::Endless);
    }
}

#[tokio::test]
async fn a_guard_ends_with_its_client_and_so_do_its_connections() {
    let (address, _) = server(Vec::new()).await;
    let guard = guard_of(&format!("https://{address}")).await;
    let port = guard.address;
    let mut stream = TcpStream::connect(port).await.unwrap();
    let request = format!("CONNECT {address} HTTP/1.1\r\nhost: {address}\r\n{}\r\n", login(&guard));
    let answer = asked(&mut stream, &request).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    drop(guard);
    let mut rest = Vec::new();
    let ended = timeout(LIMIT, stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the tunnel is still open");
    let gone = async {
        while TcpStream::connect(port).await.is_ok() {
            sleep(PAUSE).await;
        }
    };
    assert!(timeout(LIMIT, gone).await.is_ok(), "the port is still open");
}

#[tokio::test]
async fn a_call_is_not_stopped_by_what_another_one_met_before_it() {
    let (address, _) = server(ok("")).await;
    let guard = guard_of(&format!("http://{address}")).await;
    let mut stream = TcpStream::connect(guard.address).await.unwrap();
    let request = format!("GET http://127.0.0.1:1/ HTTP/1.1\r\nhost: x\r\n{}\r\n", login(&guard));
    stopped(&guard, async { drop(asked(&mut stream, &request).await) }).await;
    assert_eq!(guard.watch(async { Ok::<_, ()>(7) }).await, Ok(Ok(7)));
    assert_eq!(
        guard.watch(async { Err::<(), _>("its own error") }).await,
        Ok(Err("its own error"))
    );
}
