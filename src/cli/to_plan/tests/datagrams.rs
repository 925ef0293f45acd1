//! Options of datagrams: who is answered, and from where.

use super::*;

#[test]
fn only_those_who_answer_want_to_know_where_they_were_asked() {
    let answers = |words: &str| native(words).net.options.answers;
    assert!(answers("-lu 80") && answers("-lu --echo 80"));
    assert!(!answers("-dlu 80") && !answers("-u h 80"));
}
