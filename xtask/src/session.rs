//! A desktop session of its own for a test run: a display, a session bus, a keychain and a home, none of which touch
//! those of the person who runs the tests.

use crate::failure::{About, Failure, Outcome};
use crate::process::{find, output, say};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Anything but empty will do. With an empty one the keychain asks a prompter, and there is nobody to answer.
const KEYCHAIN_PASSWORD: &[u8] = b"a test session's keychain\n";

/// It is there in a tenth of a second, unless the machine is very busy.
const KEYCHAIN_PATIENCE: Duration = Duration::from_secs(20);

/// Variables that lead to the person's own session or folders.
const LEADS_OUT: [&str; 9] = [
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "SESSION_MANAGER",
    "GNOME_KEYRING_CONTROL",
    "SSH_AUTH_SOCK",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_CACHE_HOME",
    "XDG_STATE_HOME",
];

/// The running session. All of it ends when this is dropped.
pub struct Session {
    folder: PathBuf,
    environment: Vec<(&'static str, String)>,
    servers: Vec<Child>,
}

impl Session {
    /// Starts a display, a bus and an unlocked keychain, each waiting until the one before answers.
    pub fn start() -> Outcome<Self> {
        let mut session = Self { folder: own_folder()?, environment: Vec::new(), servers: Vec::new() };
        let home = session.folder.join("home").display().to_string();
        let runtime = session.folder.join("run").display().to_string();
        session.environment.extend([("HOME", home), ("XDG_RUNTIME_DIR", runtime)]);
        // The accessibility bus of the person's desktop is not this session's, and looking for it takes seconds.
        session.environment.push(("NO_AT_BRIDGE", "1".to_owned()));
        // A display without a graphics card has no other way to draw.
        session.environment.push(("LIBGL_ALWAYS_SOFTWARE", "1".to_owned()));
        // Debian keeps servers where only root's PATH leads.
        let path = std::env::var("PATH").unwrap_or_default();
        session.environment.push(("PATH", format!("{path}:/usr/sbin:/sbin")));
        // WebKit's DMA-BUF renderer and its compositing stay on: with either of them off, WebKitGTK 2.50 never answers
        // a WebDriver that asks for a screenshot.

        let display = session.serve(&["Xvfb", "-displayfd", "1", "-screen", "0", "1440x1000x24", "-nolisten", "tcp"], b"")?;
        let display = session.first_line(display)?;
        session.environment.extend([("DISPLAY", format!(":{display}")), ("GDK_BACKEND", "x11".to_owned())]);

        let bus = session.serve(&["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address"], b"")?;
        let bus = session.first_line(bus)?;
        session.environment.push(("DBUS_SESSION_BUS_ADDRESS", bus));

        let keychain = ["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"];
        session.serve(&keychain, KEYCHAIN_PASSWORD)?;
        session.wait_for_keychain()?;
        say(&format!("this run has a display :{display}, a session bus, a keychain and a home of its own"));
        Ok(session)
    }

    /// Lets `command` run inside the session.
    pub fn enter(&self, command: &mut Command) {
        for name in LEADS_OUT {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
    }

    /// Starts a server inside the session, hands it `input`, and gives its place among the servers.
    fn serve(&mut self, words: &[&str], input: &[u8]) -> Outcome<usize> {
        // Should xtask be killed, the kernel ends its servers too, where util-linux can ask for that.
        let mut command = match find("setpriv") {
            Some(setpriv) => {
                let mut command = Command::new(setpriv);
                command.args(["--pdeathsig", "TERM", "--", words[0]]);
                command
            }
            None => Command::new(words[0]),
        };
        self.enter(&mut command);
        let log = self.log(self.servers.len());
        let errors = fs::File::create(&log).about(|| format!("write {}", log.display()))?;
        command.args(&words[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        let mut server = command.spawn().about(|| format!("start `{}`", words.join(" ")))?;
        let stdin = server.stdin.take();
        self.servers.push(server);
        if let Some(mut stdin) = stdin {
            stdin.write_all(input).about(|| format!("write to `{}`", words[0]))?;
        }
        Ok(self.servers.len() - 1)
    }

    /// The first line that a server prints, which says where it can be found, and that it can be.
    fn first_line(&mut self, server: usize) -> Outcome<String> {
        let mut line = String::new();
        // The pipe stays open: a server that prints more must not die of it.
        if let Some(stdout) = self.servers[server].stdout.as_mut() {
            BufReader::new(stdout).read_line(&mut line).about(|| "read what a server of the session said".to_owned())?;
        }
        if line.trim().is_empty() { Err(self.silent(server)) } else { Ok(line.trim().to_owned()) }
    }

    /// Waits until the keychain has its name on the bus. It says nothing of its own when it is ready.
    fn wait_for_keychain(&self) -> Outcome {
        let started = Instant::now();
        while started.elapsed() < KEYCHAIN_PATIENCE {
            let mut question = Command::new("dbus-send");
            self.enter(&mut question);
            question.args(["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus"]);
            question.args(["org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"]);
            if output(&mut question).is_some_and(|answer| answer.contains("boolean true")) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err(self.silent(self.servers.len() - 1))
    }

    fn log(&self, server: usize) -> PathBuf {
        self.folder.join(format!("server-{server}.log"))
    }

    fn silent(&self, server: usize) -> Failure {
        let said = fs::read_to_string(self.log(server)).unwrap_or_default();
        let name = ["the display", "the session bus", "the keychain"].get(server).unwrap_or(&"a server");
        Failure::cannot(format!("{name} of the test session did not start. It said: {}", said.trim()))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The last to start needs those before it, so it ends first.
        for server in self.servers.iter_mut().rev() {
            let _ = server.kill();
            let _ = server.wait();
        }
        // A helper of WebKit may write as it ends. What stays behind then is in the system's folder for such things.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A new folder with a home, and a runtime folder that nobody else may enter, as its specification demands.
fn own_folder() -> Outcome<PathBuf> {
    // Sockets live in it, whose paths may have 108 bytes at most, so it is not somewhere deep in `target/`.
    let folder = std::env::temp_dir().join(format!("patchbay-test-{}", std::process::id()));
    for part in ["home", "run"] {
        let part = folder.join(part);
        fs::create_dir_all(&part).about(|| format!("make the folder {}", part.display()))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let private = fs::Permissions::from_mode(0o700);
            fs::set_permissions(&part, private).about(|| format!("close the folder {}", part.display()))?;
        }
    }
    Ok(folder)
}
