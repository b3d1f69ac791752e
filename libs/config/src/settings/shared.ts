/** Settings that every program has for itself: connections, and logs. */
import { autoYesNo, choice, text, yesNo } from '../value-kinds.js';
import type { Program } from '../setting.js';

const everyProgram: readonly Program[] = ['scheduler', 'nanny', 'worker', 'client'];

export const tlsSettings = {
  ca: text({
    default: false,
    mayBeOff: true,
    example: '/etc/spillway/ca.pem',
    programs: everyProgram,
    flag: '--tls-ca',
    doc: `File with the certificates (PEM) of who may sign those of the other programs. \`false\` trusts the authorities that
      Node trusts.`,
  }),
  cert: text({
    default: false,
    mayBeOff: true,
    example: '/etc/spillway/cert.pem',
    programs: everyProgram,
    flag: '--tls-cert',
    doc: `File with this program's certificate (PEM). With it and \`tls.key\` connections are encrypted and both ends show who
      they are; \`false\` uses plain connections.`,
  }),
  key: text({
    default: false,
    mayBeOff: true,
    example: '/etc/spillway/key.pem',
    programs: everyProgram,
    flag: '--tls-key',
    doc: "File with the key (PEM) of this program's certificate.",
  }),
};

export const securitySettings = {
  insecure: yesNo({
    default: false,
    programs: ['scheduler', 'nanny', 'worker'],
    flag: '--insecure',
    doc: `Allow listening beyond loopback without TLS. Whoever can reach such a port can run code on these machines, so set
      it only in a network where everybody may, such as that of one set of containers.`,
  }),
};

export const logSettings = {
  level: choice(['debug', 'info', 'warn', 'error', 'silent'], {
    default: 'info',
    programs: everyProgram,
    flag: '--log-level',
    doc: `The least serious lines to write. \`debug\` has lines for each task, which costs much at high task rates. The
      variable \`LOG_LEVEL\` sets it too.`,
  }),
  pretty: autoYesNo({
    default: 'auto',
    programs: everyProgram,
    flag: '--log-pretty',
    doc: `Write log lines for people instead of JSON. \`auto\` does so where the log goes to a terminal. JSON is what log
      collectors read.`,
  }),
};
