/**
 * Names the files that every build makes again, whatever it installs. They go into the top layer, so that they change no other;
 * `path-claims.ts` asks for each path.
 */
import type { Path } from '../bytes/path.ts';

/** Directories of which every build makes all files again: databases, lists, caches, logs. */
const directories =
  /^(?:(?:usr\/)?lib\/apk\/db|var\/(?:cache|log|tmp|run|lib\/(?:rpm|dnf|yum|apt|pacman|zypp|systemd|ucf|dpkg\/(?:updates|triggers)))|usr\/lib\/sysimage\/rpm|run|tmp|(?:root|home\/[^/]+)\/\.(?:cache|npm|cargo\/registry))\//;

/** Single files: databases of packages, accounts, and what is made of many files each time. */
const files =
  /^(?:var\/lib\/dpkg\/[^/]+|etc\/(?:ld\.so\.cache|machine-id|hostname|hosts|resolv\.conf|mtab|passwd-?|group-?|g?shadow-?|sub[ug]id-?|\.pwd\.lock|apk\/world)|etc\/ssl\/certs\/java\/cacerts|etc\/pki\/ca-trust\/extracted\/java\/cacerts|var\/lib\/dbus\/machine-id|usr\/share\/(?:info\/dir|mime\/mime\.cache|glib-2\.0\/schemas\/gschemas\.compiled|applications\/mimeinfo\.cache|icons\/[^/]+\/icon-theme\.cache)|usr\/lib\/(?:[^/]+\/)?(?:gdk-pixbuf-2\.0\/2\.10\.0\/loaders|gio\/modules\/giomodule)\.cache)$/;

/** Lists that an installer of a language leaves beside what it has installed. */
const lists =
  /(?:\.dist-info\/RECORD|\/conda-meta\/history|\/node_modules\/\.(?:package-lock\.json|yarn-integrity|modules\.yaml))$/;

/** Tells whether every build makes the file again. */
export function isVolatile(path: Path): boolean {
  return directories.test(path) || files.test(path) || lists.test(path);
}
