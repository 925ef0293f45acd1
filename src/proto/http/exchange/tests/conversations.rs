//! What real clients and servers said to each other, with the dates made equal.

use super::*;

/// What is known once all of a conversation has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Complete with the last byte, not before it.
    Complete,
    /// Complete when the server ends.
    UntilEnd,
    /// Not followed to the end.
    Other,
}

#[test]
fn conversations_with_real_servers_end_with_their_last_byte() {
    for (name, outcome, sent, received) in CONVERSATIONS {
        let known = play(&[Sent(sent), Received(received)]);
        assert_eq!(known.is_complete, outcome == Outcome::Complete, "{name}");
        assert_eq!(
            known.speech == Speech::Other,
            outcome == Outcome::Other,
            "{name}"
        );
        assert_eq!(known.end, Ok(()), "{name}");
        if outcome == Outcome::Complete {
            let mut exchanges = Exchanges::new();
            exchanges.see_sent(sent);
            for byte in received.chunks(1) {
                assert!(!exchanges.is_complete(), "{name}");
                exchanges.see_received(byte);
            }
        }
    }
}

/// Name, outcome, what was sent, what was received.
type Conversation = (&'static str, Outcome, &'static [u8], &'static [u8]);

#[rustfmt::skip]
const CONVERSATIONS: [Conversation; 20] = [
    ("nginx, a file", Outcome::Complete,
        b"GET /a.txt HTTP/1.1\r\nHost: h\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\n\
        Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: text/plain\r\n\
        Content-Length: 6\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
        Connection: keep-alive\r\nETag: \"6955b900-6\"\r\nAccept-Ranges: bytes\r\n\r\n\
        hello\n"),
    ("nginx, a request of HTTP/1.0", Outcome::Complete,
        b"GET /a.txt HTTP/1.0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\n\
        Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: text/plain\r\n\
        Content-Length: 6\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
        Connection: close\r\nETag: \"6955b900-6\"\r\nAccept-Ranges: bytes\r\n\r\n\
        hello\n"),
    ("nginx, compressed on the way", Outcome::Complete,
        b"GET /gz.txt HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\n\
        Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: text/plain\r\n\
        Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nTransfer-Encoding: chunked\r\n\
        Connection: keep-alive\r\nETag: W/\"6955b900-168\"\r\n\
        Content-Encoding: gzip\r\n\r\n25\r\n\
        \x1f\x8b\x08\x00\x00\x00\x00\x00\x04\x03K\xce\xcf-(J-.V\xc8MUH\x1ee\xd3,\x1c\x00k\x88\xed\xffh\x01\x00\x00\r\n\
        0\r\n\r\n"),
    ("nginx, not modified", Outcome::Complete,
        b"GET /a.txt HTTP/1.1\r\nHost: h\r\n\
        If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nServer: nginx/1.22.1\r\n\
        Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
        Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nConnection: keep-alive\r\n\
        ETag: \"6955b900-6\"\r\n\r\n"),
    ("nginx, an upload that waits for 100", Outcome::Complete,
        b"PUT /put/x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\
        Content-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nServer: nginx/1.22.1\r\n\
        Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Length: 0\r\n\
        Location: http://h:48180/put/x\r\nConnection: keep-alive\r\n\r\n"),
    ("nginx, four requests at once, of which the last closes", Outcome::Complete,
        b"GET /a.txt HTTP/1.1\r\nHost: h\r\n\r\nHEAD /a.txt HTTP/1.1\r\nHost: h\r\n\r\n\
        GET /none HTTP/1.1\r\nHost: h\r\n\r\nGET /a.txt HTTP/1.1\r\nHost: h\r\n\
        Connection: close\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\n\
        Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: text/plain\r\n\
        Content-Length: 6\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
        Connection: keep-alive\r\nETag: \"6955b900-6\"\r\nAccept-Ranges: bytes\r\n\r\n\
        hello\nHTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\n\
        Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: text/plain\r\n\
        Content-Length: 6\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
        Connection: keep-alive\r\nETag: \"6955b900-6\"\r\nAccept-Ranges: bytes\r\n\r\n\
        HTTP/1.1 404 Not Found\r\nServer: nginx/1.22.1\r\n\
        Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: text/html\r\n\
        Content-Length: 153\r\nConnection: keep-alive\r\n\r\n<html>\r\n\
        <head><title>404 Not Found</title></head>\r\n<body>\r\n\
        <center><h1>404 Not Found</h1></center>\r\n\
        <hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\nHTTP/1.1 200 OK\r\n\
        Server: nginx/1.22.1\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
        Content-Type: text/plain\r\nContent-Length: 6\r\n\
        Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nConnection: close\r\n\
        ETag: \"6955b900-6\"\r\nAccept-Ranges: bytes\r\n\r\nhello\n"),
    ("nginx, a body that is not in chunks as promised", Outcome::Complete,
        b"PUT /put/y HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 400 Bad Request\r\nServer: nginx/1.22.1\r\n\
        Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: text/html\r\n\
        Content-Length: 157\r\nConnection: close\r\n\r\n<html>\r\n\
        <head><title>400 Bad Request</title></head>\r\n<body>\r\n\
        <center><h1>400 Bad Request</h1></center>\r\n\
        <hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"),
    ("nginx, garbage after a request: its answer awaits nothing", Outcome::Other,
        b"GET /a.txt HTTP/1.1\r\nHost: h\r\n\r\nGARBAGE\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\n\
        Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: text/plain\r\n\
        Content-Length: 6\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
        Connection: keep-alive\r\nETag: \"6955b900-6\"\r\nAccept-Ranges: bytes\r\n\r\n\
        hello\nHTTP/1.1 400 Bad Request\r\nServer: nginx/1.22.1\r\n\
        Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: text/html\r\n\
        Content-Length: 157\r\nConnection: close\r\n\r\n<html>\r\n\
        <head><title>400 Bad Request</title></head>\r\n<body>\r\n\
        <center><h1>400 Bad Request</h1></center>\r\n\
        <hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"),
    ("Node.js, chunks and trailers", Outcome::Complete,
        b"GET /chunks HTTP/1.1\r\nHost: h\r\nTE: trailers\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
        Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n\
        Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\
        X-Sum: 1\r\n\r\n"),
    ("Node.js, early hints", Outcome::Complete,
        b"GET /hints HTTP/1.1\r\nHost: h\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n\
        HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
        Connection: keep-alive\r\nKeep-Alive: timeout=5\r\nContent-Length: 6\r\n\r\n\
        hinted"),
    ("Node.js, no content", Outcome::Complete,
        b"GET /204 HTTP/1.1\r\nHost: h\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
        Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\n"),
    ("Node.js, three requests at once", Outcome::Complete,
        b"HEAD /chunks HTTP/1.1\r\nHost: h\r\n\r\nGET /chunks HTTP/1.1\r\nHost: h\r\n\
        \r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
        Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\nHTTP/1.1 200 OK\r\n\
        Trailer: X-Sum\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
        Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n\
        Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\
        X-Sum: 1\r\n\r\nHTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
        Connection: keep-alive\r\nKeep-Alive: timeout=5\r\nContent-Length: 9\r\n\r\n\
        hi GET /a"),
    ("Node.js, a WebSocket", Outcome::Other,
        b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\n\r\nframes"),
    ("Node.js refuses LF alone", Outcome::UntilEnd,
        b"GET / HTTP/1.1\nHost: h\n\n",
        b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"),
    ("Python http.server, a file", Outcome::Complete,
        b"GET /a.txt HTTP/1.0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nServer: SimpleHTTP/0.6 Python/3.11.7\r\n\
        Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-type: text/plain\r\n\
        Content-Length: 6\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\n\
        hello\n"),
    ("Python http.server, a method it has not", Outcome::Complete,
        b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.0 501 Unsupported method ('PUT')\r\n\
        Server: SimpleHTTP/0.6 Python/3.11.7\r\n\
        Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nConnection: close\r\n\
        Content-Type: text/html;charset=utf-8\r\nContent-Length: 356\r\n\r\n\
        <!DOCTYPE HTML>\n<html lang=\"en\">\n\x20   <head>\n\
        \x20       <meta charset=\"utf-8\">\n\
        \x20       <title>Error response</title>\n\x20   </head>\n\x20   <body>\n\
        \x20       <h1>Error response</h1>\n\x20       <p>Error code: 501</p>\n\
        \x20       <p>Message: Unsupported method ('PUT').</p>\n\
        \x20       <p>Error code explanation: 501 - Server does not support this operation.</p>\n\
        \x20   </body>\n</html>\n"),
    ("busybox httpd, a file", Outcome::Complete,
        b"GET /a.txt HTTP/1.1\r\nHost: h\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
        Connection: close\r\nContent-type: text/plain\r\nAccept-Ranges: bytes\r\n\
        Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nETag: \"6955b900-6\"\r\n\
        Content-Length: 6\r\n\r\nhello\n"),
    ("busybox httpd, a program: until the end", Outcome::UntilEnd,
        b"GET /cgi-bin/x HTTP/1.0\n\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nfrom cgi\n"),
    ("curl with an upload in chunks, Node.js", Outcome::Complete,
        b"PUT /echo HTTP/1.1\r\nHost: 127.0.0.1:48192\r\nAccept: */*\r\n\
        Transfer-Encoding: chunked\r\nExpect: 100-continue\r\nUser-Agent: curl\r\n\r\n\
        b\r\nupload body\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\
        Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nConnection: keep-alive\r\n\
        Keep-Alive: timeout=5\r\nContent-Length: 6\r\n\r\ngot 11"),
    ("curl -I with two addresses, nginx", Outcome::Complete,
        b"HEAD /a.txt HTTP/1.1\r\nHost: 127.0.0.1:48193\r\nAccept: */*\r\n\
        User-Agent: curl\r\n\r\nHEAD /none HTTP/1.1\r\nHost: 127.0.0.1:48193\r\n\
        Accept: */*\r\nUser-Agent: curl\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\n\
        Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: text/plain\r\n\
        Content-Length: 6\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
        Connection: keep-alive\r\nETag: \"6955b900-6\"\r\nAccept-Ranges: bytes\r\n\r\n\
        HTTP/1.1 404 Not Found\r\nServer: nginx/1.22.1\r\n\
        Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: text/html\r\n\
        Content-Length: 153\r\nConnection: keep-alive\r\n\r\n"),
];
