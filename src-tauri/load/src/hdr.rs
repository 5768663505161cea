//! Histograms in HdrHistogram's own V2 encoding, compressed, as its tools read them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hdrhistogram::{
    Histogram,
    serialization::{Deserializer, Serializer, V2DeflateSerializer},
};
use patchbay_contracts::{Code, Problem};

/// The longest text of one, in bytes; a full histogram of ours has less than 200 KiB.
const LONGEST: usize = 4 << 20;

/// The bytes of a histogram.
pub(crate) fn encode(histogram: &Histogram<u64>) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    V2DeflateSerializer::new().serialize(histogram, &mut bytes).map_err(Problem::internal)?;
    Ok(bytes)
}

/// A histogram from its bytes.
pub(crate) fn decode(mut bytes: &[u8]) -> Result<Histogram<u64>, Problem> {
    Deserializer::new()
        .deserialize(&mut bytes)
        .map_err(|error| Problem::new(Code::InvalidInput, "A histogram can't be read").why(error.to_string()))
}

/// The bytes as text.
pub(crate) fn text(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// A histogram of nanoseconds from the text that a report has it in.
///
/// # Errors
/// [`Code::InvalidInput`] where it is no such text.
pub fn read(text: &str) -> Result<Histogram<u64>, Problem> {
    let bad = |why: String| Problem::new(Code::InvalidInput, "A histogram can't be read").why(why);
    if text.len() > LONGEST {
        return Err(bad(format!("it is longer than {LONGEST} bytes")));
    }
    decode(&STANDARD.decode(text).map_err(|error| bad(error.to_string()))?)
}
