//! What a script says: a setting of two bytes, then two bytes for each step.

use rnc::plan::Until;

/// Steps beyond these are left out, which bounds the time a script takes.
const MOST_STEPS: usize = 96;

/// Who meets whom, and over what.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// rnc is the server, and the peer the client.
    pub rnc_is_server: bool,
    /// TLS 1.2, else 1.3.
    pub is_old: bool,
    /// Over TCP on the loopback, else a pair of Unix sockets.
    pub is_tcp: bool,
    /// Sockets that hold next to nothing, so that writes are cut short.
    pub is_narrow: bool,
    /// The handshake is done before the first step, else by the steps.
    pub begins_shaken: bool,
    /// What makes rnc's session over.
    pub until: Until,
    /// Session tickets that a server of TLS 1.3 sends.
    pub tickets: usize,
    /// How the peer leaves once the steps are done.
    pub farewell: Farewell,
}

/// How the peer ends what it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Farewell {
    /// With close_notify alone.
    Notify,
    /// With close_notify and FIN.
    NotifyAndShut,
    /// With FIN alone: a truncation.
    Shut,
    /// It closes its socket: a reset, if it has not read everything.
    Go,
}

/// One step of one side. Sizes are in bytes.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// The peer encrypts so much, and keeps the records.
    PeerWrites(usize),
    /// The peer sends so much of its records.
    PeerSends(usize),
    /// The peer reads so much of what has come.
    PeerReads(usize),
    /// A byte of the records that are not sent yet is changed: the place, of 256 parts.
    PeerCorrupts(u8),
    /// Bytes that no TLS library makes come behind the peer's records.
    PeerInserts(Insert),
    /// The peer changes its key.
    PeerChangesKey,
    /// The peer makes close_notify.
    PeerNotifies,
    /// The peer ends its side of the connection.
    PeerShuts,
    /// The peer closes its socket.
    PeerGoes,
    /// The user writes so much.
    UserWrites(usize),
    /// The user reads so much.
    UserReads(usize),
    /// The end of the user's input.
    UserShuts,
    /// The user is gone.
    UserGoes,
}

/// Bytes that do not belong there.
#[derive(Clone, Copy, Debug)]
pub enum Insert {
    /// A record of application data without data, and without protection.
    EmptyRecord,
    /// A record longer than any may be (RFC 8446, section 5.2).
    LongRecord,
    /// The head of a record whose body never comes.
    HalfRecord,
    /// change_cipher_spec, which is ignored during a handshake (RFC 8446, section 5).
    ChangeCipherSpec,
    /// An alert without protection.
    BareAlert,
    /// Plain text.
    Text,
    /// Bytes without sense.
    Garbage(u8),
}

impl Insert {
    /// The bytes.
    pub fn bytes(self) -> Vec<u8> {
        let record = |head: [u8; 5], len| [&head[..], &vec![0xa5; len]].concat();
        match self {
            Insert::EmptyRecord => vec![23, 3, 3, 0, 0],
            Insert::LongRecord => record([23, 3, 3, 0x48, 0x01], 0x4801),
            Insert::HalfRecord => record([23, 3, 3, 0x40, 0], 100),
            Insert::ChangeCipherSpec => vec![20, 3, 3, 0, 1, 1],
            Insert::BareAlert => vec![21, 3, 3, 0, 2, 1, 0],
            Insert::Text => b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
            Insert::Garbage(seed) => (0..seed).map(|n| n.wrapping_mul(seed)).collect(),
        }
    }
}

/// Reads a script; one that is too short has no steps.
pub fn read(script: &[u8]) -> (Setting, Vec<Step>) {
    let (head, steps) = script.split_at(script.len().min(2));
    let byte = |at| head.get(at).copied().unwrap_or_default();
    let steps = steps.chunks_exact(2).take(MOST_STEPS);
    let steps = steps.map(|step| step_of(step[0], step[1])).collect();
    (setting(byte(0), byte(1)), steps)
}

fn setting(first: u8, second: u8) -> Setting {
    let bit = |n: u8| first >> n & 1 == 1;
    Setting {
        rnc_is_server: bit(0),
        is_old: bit(1),
        is_narrow: bit(2),
        begins_shaken: !bit(3),
        until: match first >> 4 & 3 {
            0 | 1 => Until::Both,
            2 => Until::Peer,
            _ => Until::Stdin,
        },
        farewell: match first >> 6 {
            0 => Farewell::NotifyAndShut,
            1 => Farewell::Notify,
            2 => Farewell::Shut,
            _ => Farewell::Go,
        },
        tickets: usize::from(second & 7),
        is_tcp: second >> 5 == 7,
    }
}

fn step_of(which: u8, how: u8) -> Step {
    match which % 24 {
        0..=3 => Step::PeerWrites(size(how)),
        4 | 5 => Step::PeerSends(usize::MAX),
        6 | 7 => Step::PeerSends(size(how)),
        8..=10 => Step::PeerReads(size(how)),
        11..=14 => Step::UserWrites(size(how)),
        15 | 16 => Step::UserReads(size(how)),
        17 => Step::PeerChangesKey,
        18 => Step::PeerCorrupts(how),
        19 => Step::PeerInserts(insert(how)),
        20 => Step::PeerNotifies,
        21 => Step::UserShuts,
        22 => Step::PeerShuts,
        _ if how < 128 => Step::PeerGoes,
        _ => Step::UserGoes,
    }
}

fn insert(how: u8) -> Insert {
    match how % 8 {
        0 => Insert::EmptyRecord,
        1 => Insert::LongRecord,
        2 => Insert::HalfRecord,
        3 => Insert::ChangeCipherSpec,
        4 => Insert::BareAlert,
        5 => Insert::Text,
        _ => Insert::Garbage(how),
    }
}

/// Small ones and those around a record's 16 KiB, up to more than anybody keeps.
fn size(how: u8) -> usize {
    let how = usize::from(how);
    match how {
        0..128 => how,
        128..192 => (how - 127) * 512,
        192..240 => (how - 191) * 4096,
        _ => 512 << 10,
    }
}
