//! What the integration's file says of TLS: the client's certificate goes into the script, its key never does, and k6 has no
//! option for issuers.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use patchbay_contracts::{Code, Problem};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde_json::json;
use url::Url;

use super::{Source, feeds, js, values::Values};
use crate::{Result, secrets::environment_name};

/// The statements that make k6 show the client's certificate; nothing where there is none.
///
/// # Errors
/// As for other files of a script, and where no certificate is in the file.
pub(super) fn client(source: Source<'_>, values: &mut Values, notes: &mut Vec<String>) -> Result<String> {
    let Some(tls) = &source.definition.tls else { return Ok(String::new()) };
    if let Some(ca) = &tls.ca {
        notes.push(format!(
            "k6 trusts the issuers of the machine that it runs on, and has no option for others: start it with SSL_CERT_FILE={ca}, \
             say."
        ));
    }
    let (Some(file), Some(secret)) = (&tls.certificate, tls.key_secret()) else { return Ok(String::new()) };
    let certificates = certificates(file, &feeds::file(source.files, file)?)?;
    values.secret(secret)?;
    notes.push(
        "k6 shows the client certificate to each host that asks for one; Patchbay shows it where its key is bound.".to_owned(),
    );
    let variable = js::string(&environment_name(secret));
    let base = source.definition.base_url.as_deref().and_then(|base| Url::parse(base).ok());
    let hosts: Vec<&str> = base.iter().filter_map(Url::host_str).collect();
    Ok(format!(
        "if (!__ENV[{variable}]) throw new Error('The variable ' + {variable} + ' is not set; it holds the key of the client certificate');\n\
         options.tlsAuth = [{{ domains: {}, cert: {}, key: __ENV[{variable}] }}];\n\n",
        js::json(&json!(hosts)),
        js::string(&certificates)
    ))
}

/// The certificates of a file, and nothing else that stands in it: that may be a key.
fn certificates(name: &str, bytes: &[u8]) -> Result<String> {
    let broken = || {
        Problem::new(Code::InvalidDefinition, format!("The file `{name}` has no certificates that can be used"))
            .why("it is not in PEM, or damaged")
            .next("Put the client's certificate into it, in PEM")
    };
    let mut text = String::new();
    for certificate in CertificateDer::pem_slice_iter(bytes) {
        let encoded = STANDARD.encode(certificate.map_err(|_| broken())?);
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        let mut rest = encoded.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.len().min(64));
            text.push_str(line);
            text.push('\n');
            rest = after;
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    if text.is_empty() { Err(broken()) } else { Ok(text) }
}
