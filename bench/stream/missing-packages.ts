import { existsSync } from 'node:fs';

/** Debian's packages that the comparison needs, each by a file of it. */
const needed = {
  'tigervnc-standalone-server': '/usr/bin/Xtigervnc',
  novnc: '/usr/share/novnc/vnc_lite.html',
  websockify: '/usr/bin/websockify',
  chromium: '/usr/bin/chromium',
  xvfb: '/usr/bin/Xvfb',
};

/** Those that are not installed here. */
export function missingPackages(): string[] {
  return Object.entries(needed).flatMap(([name, file]) => (existsSync(file) ? [] : [name]));
}
