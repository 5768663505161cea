//! Renders the icon's one drawing into every size and container that the bundles of the three systems want.

use crate::failure::{About, Failure, Outcome};
use crate::paths::{root, write_if_changed};
use crate::process::{line, say};
use crate::setup::{self, Need};
use std::fs;
use std::process::Command;

/// The pictures that Tauri's configuration, Linux desktops and documentation name, with their sides in pixels.
const PICTURES: [(&str, u32); 9] = [
    ("16x16.png", 16),
    ("24x24.png", 24),
    ("32x32.png", 32),
    ("48x48.png", 48),
    ("64x64.png", 64),
    ("128x128.png", 128),
    ("128x128@2x.png", 256),
    ("256x256.png", 256),
    ("icon.png", 512),
];

/// The sides inside the Windows icon.
const ICO_SIDES: [u32; 6] = [16, 24, 32, 48, 64, 256];

/// The types inside the macOS icon, with the sides of the pictures that they hold. Apple numbers a picture for a dense
/// screen apart from one of the same size for a plain screen.
const ICNS_TYPES: [(&[u8; 4], u32); 8] = [
    (b"ic11", 32),
    (b"ic12", 64),
    (b"ic07", 128),
    (b"ic13", 256),
    (b"ic08", 256),
    (b"ic14", 512),
    (b"ic09", 512),
    (b"ic10", 1024),
];

/// Writes `icons/` and the page's own icon from `icons/patchbay.svg`.
pub fn render() -> Outcome {
    setup::ensure(&[Need::Drawing])?;
    let icons = root().join("icons");
    let mut written = 0;
    for (name, side) in PICTURES {
        written += u32::from(write_if_changed(&icons.join(name), &picture(side)?)?);
    }
    written += u32::from(write_if_changed(&icons.join("icon.ico"), &ico()?)?);
    written += u32::from(write_if_changed(&icons.join("icon.icns"), &icns()?)?);
    let drawing = fs::read(icons.join("patchbay.svg")).about(|| "read icons/patchbay.svg".to_owned())?;
    written += u32::from(write_if_changed(&root().join("frontend/assets/favicon.svg"), &drawing)?);
    say(&format!("{written} files of the icon changed"));
    Ok(())
}

/// The drawing as PNG with eight bits each of red, green, blue and alpha, which is the only kind that Tauri takes.
fn picture(side: u32) -> Outcome<Vec<u8>> {
    let mut command = Command::new("rsvg-convert");
    command.args(["--format=png", "--width", &side.to_string(), "--height", &side.to_string()]);
    command.arg(root().join("icons/patchbay.svg"));
    let output = command.output().about(|| format!("start {}", line(&command)))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(Failure::cannot(format!("the icon could not be rendered: {}", String::from_utf8_lossy(&output.stderr).trim())))
}

/// A Windows icon: a header, one directory entry a picture, then the pictures, all numbers little-endian.
/// <https://learn.microsoft.com/windows/win32/menurc/newheader>
fn ico() -> Outcome<Vec<u8>> {
    const HEADER: usize = 6;
    const ENTRY: usize = 16;
    let pictures = ICO_SIDES.iter().map(|side| Ok((*side, picture(*side)?))).collect::<Outcome<Vec<_>>>()?;
    let mut directory = Vec::new();
    directory.extend([0, 0, 1, 0]); // reserved, then the type: an icon
    directory.extend((pictures.len() as u16).to_le_bytes());
    let mut offset = HEADER + ENTRY * pictures.len();
    for (side, content) in &pictures {
        let side = u8::try_from(*side).unwrap_or(0); // 0 stands for 256
        directory.extend([side, side, 0, 0]); // no palette
        directory.extend([1, 0, 32, 0]); // one plane of 32 bits a pixel
        directory.extend((content.len() as u32).to_le_bytes());
        directory.extend((offset as u32).to_le_bytes());
        offset += content.len();
    }
    Ok(pictures.into_iter().fold(directory, |mut file, (_, content)| {
        file.extend(content);
        file
    }))
}

/// A macOS icon: a header, then each picture after its type and length, all numbers big-endian.
/// <https://en.wikipedia.org/wiki/Apple_Icon_Image_format>
fn icns() -> Outcome<Vec<u8>> {
    const HEADER: usize = 8;
    let mut entries = Vec::new();
    for (kind, side) in ICNS_TYPES {
        let content = picture(side)?;
        entries.extend(kind);
        entries.extend(((HEADER + content.len()) as u32).to_be_bytes());
        entries.extend(content);
    }
    let mut file = b"icns".to_vec();
    file.extend(((HEADER + entries.len()) as u32).to_be_bytes());
    file.extend(entries);
    Ok(file)
}
