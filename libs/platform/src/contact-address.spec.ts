import type { NetworkInterfaceInfo } from 'node:os';
import { contactAddressOf } from './contact-address.js';

const address = (text: string, internal: boolean): NetworkInterfaceInfo => ({
  address: text,
  family: 'IPv4',
  internal,
  netmask: '255.0.0.0',
  mac: '00:00:00:00:00:00',
  cidr: null,
});
const interfaces = { lo: [address('127.0.0.1', true)], eth0: [address('10.1.2.3', false)] };

test.each([
  ['a listener on one address is reached there', '127.0.0.1:5000', false, '127.0.0.1:5000'],
  ['a listener on all is reached at the outward address', '0.0.0.0:5000', false, '10.1.2.3:5000'],
  ['likewise in IPv6 notation', '[::]:5000', false, '10.1.2.3:5000'],
  ['a contact address wins', '0.0.0.0:5000', 'host.example:80', 'host.example:80'],
  ['a contact without a port gets the listener’s', '0.0.0.0:5000', 'host.example', 'host.example:5000'],
] as const)('%s', (_what, listen, contact, expected) => {
  expect(contactAddressOf(listen, contact, interfaces)).toBe(expected);
});

test('without any outward address loopback is left', () => {
  expect(contactAddressOf('0.0.0.0:5000', false, { lo: interfaces.lo })).toBe('127.0.0.1:5000');
});
