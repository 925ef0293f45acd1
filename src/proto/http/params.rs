//! The challenges of a field value, taken apart. RFC 9110, section 11.6.1.

/// The parameters of a challenge: names in lower case, and values without their quotes.
#[derive(Default)]
pub struct Params(Vec<(Vec<u8>, Vec<u8>)>);

impl Params {
    /// The first value of this name.
    pub fn value(&self, name: &str) -> Option<&[u8]> {
        let found = self.0.iter().find(|(known, _)| known == name.as_bytes());
        found.map(|(_, value)| value.as_slice())
    }

    /// Returns whether this name has the value `true`.
    pub fn is_true(&self, name: &str) -> bool {
        self.value(name)
            .is_some_and(|value| value.eq_ignore_ascii_case(b"true"))
    }

    /// Takes in `name=value`; whatever else it is, is passed over.
    fn push(&mut self, item: &[u8]) {
        let (name, behind) = split_token(item);
        let value = behind.trim_ascii_start().strip_prefix(b"=");
        let value = value.and_then(|value| unquoted(value.trim_ascii()));
        if let Some(value) = value.filter(|_| !name.is_empty()) {
            self.0.push((name.to_ascii_lowercase(), value));
        }
    }
}

/// A challenge as it stands in the field.
pub struct Offer {
    /// The scheme.
    pub scheme: Vec<u8>,
    /// Its parameters.
    pub params: Params,
}

/// Takes the challenges of one field value apart. Commas stand between challenges as well as
/// between the parameters of one: a new one begins with a word that no `=` follows. RFC 9110,
/// section 11.6.1.
pub fn offers(value: &[u8]) -> Vec<Offer> {
    let mut offers: Vec<Offer> = Vec::new();
    for item in items(value) {
        let (word, behind) = split_token(item);
        let is_param = behind.trim_ascii_start().starts_with(b"=");
        match offers.last_mut() {
            Some(offer) if is_param => offer.params.push(item),
            _ if is_param || word.is_empty() => {}
            _ => {
                let mut params = Params::default();
                params.push(behind.trim_ascii_start());
                let scheme = word.to_vec();
                offers.push(Offer { scheme, params });
            }
        }
    }
    offers
}

/// Splits a list at the commas that are not in quotes. RFC 9110, section 5.6.1.
fn items(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut in_quotes, mut is_escaped) = (false, false);
    let items = value.split(move |&byte| {
        let was_escaped = std::mem::take(&mut is_escaped);
        match byte {
            _ if was_escaped => {}
            b'\\' => is_escaped = in_quotes,
            b'"' => in_quotes = !in_quotes,
            b',' => return !in_quotes,
            _ => {}
        }
        false
    });
    items
        .map(<[u8]>::trim_ascii)
        .filter(|item| !item.is_empty())
}

/// Splits off the token at the front, which may be empty. RFC 9110, section 5.6.2.
fn split_token(text: &[u8]) -> (&[u8], &[u8]) {
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let len = text.iter().take_while(|byte| is_token(byte)).count();
    text.split_at(len)
}

/// A token, or what a quoted string says (RFC 9110, section 5.6.4); `None` if its end is missing.
fn unquoted(text: &[u8]) -> Option<Vec<u8>> {
    let Some(quoted) = text.strip_prefix(b"\"") else {
        return Some(text.to_vec());
    };
    let mut bytes = quoted.iter();
    let mut value = Vec::new();
    loop {
        match bytes.next()? {
            b'"' => return Some(value),
            b'\\' => value.push(*bytes.next()?),
            byte => value.push(*byte),
        }
    }
}
