//! The socket's file: made for root alone, and a stale one of a killed daemon replaced.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use super::Error;

/// Root only; SO_PEERCRED is asked as well, since the file is made before its mode is set.
const MODE: u32 = 0o600;

/// Makes the socket and listens.
///
/// # Errors
/// Somebody answers at the path, it is something else than a socket, or the system refuses.
pub(super) fn listen(path: &Path) -> Result<UnixListener, Error> {
    let failed = |what| move |source: io::Error| Error::Socket { what, path: path.to_owned(), source };
    match fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.file_type().is_socket() => return Err(Error::NoSocket { path: path.to_owned() }),
        Ok(_) => remove_stale(path)?,
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed("look at the control socket")(error)),
    }
    let listener = UnixListener::bind(path).map_err(failed("make the control socket"))?;
    fs::set_permissions(path, Permissions::from_mode(MODE)).map_err(failed("set the mode of the control socket"))?;
    listener.set_nonblocking(true).map_err(failed("make the control socket"))?;
    Ok(listener)
}

/// A daemon that was killed leaves its file behind, and nobody answers there.
fn remove_stale(path: &Path) -> Result<(), Error> {
    let failed = |what| move |source: io::Error| Error::Socket { what, path: path.to_owned(), source };
    match UnixStream::connect(path) {
        Ok(_) => Err(Error::InUse { path: path.to_owned() }),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(failed("remove the stale control socket"))
        }
        Err(error) => Err(failed("ask who has the control socket")(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::env::temp_dir;
    use std::path::PathBuf;

    use super::*;

    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Self {
            Self(temp_dir().join(format!("proxysight-socket-{}-{name}", std::process::id())))
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            fs::remove_file(&self.0).unwrap();
        }
    }

    #[test]
    fn a_stale_socket_is_replaced_and_a_live_one_refused() {
        let place = Place::new("stale");
        drop(listen(&place.0).unwrap());
        let live = listen(&place.0).unwrap();
        assert_eq!(fs::metadata(&place.0).unwrap().permissions().mode() & 0o777, 0o600);
        let refused = listen(&place.0).unwrap_err().to_string();
        assert!(refused.contains("another program answers") && refused.contains("--control"), "{refused}");
        drop(live);
    }

    #[test]
    fn a_file_that_is_no_socket_is_left_alone() {
        let place = Place::new("file");
        fs::write(&place.0, "precious").unwrap();
        assert!(matches!(listen(&place.0), Err(Error::NoSocket { .. })));
        assert_eq!(fs::read_to_string(&place.0).unwrap(), "precious");
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = listen(Path::new("/nonexistent/control.sock")).unwrap_err().to_string();
        assert!(error.contains("/nonexistent/control.sock"), "{error}");
    }
}
