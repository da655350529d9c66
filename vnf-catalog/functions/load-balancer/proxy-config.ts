import { isIPv6 } from 'node:net';
import { BACKEND, type Slot } from './plan-slots.ts';

export interface ProxySettings {
  /** Where devices connect. */
  readonly host: string;
  readonly port: number;
  /** Of devices; further ones wait to be accepted. */
  readonly maxConnections: number;
  readonly algorithm: Algorithm;
  /** A back end is asked so often whether it is ready. */
  readonly checkMilliseconds: number;
}

export const ALGORITHMS = ['leastconn', 'roundrobin', 'random'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

export const FRONTEND = 'devices';
/** In the folder of the configuration: a path of its own could be too long for a socket. */
export const COMMAND_SOCKET = 'haproxy.sock';

/** Longer than field-device-http takes to answer: the answer, not this proxy, says that there is none. */
const ANSWER_SECONDS = 35;

/**
 * A back end that stops says so at once, and one that is gone refuses the connection; one that says nothing for a while is on a busy
 * machine, and turning its requests away would fail what only waits.
 */
const CHECK_SECONDS = 5;

/**
 * HAProxy's configuration: each device's request goes to a back end that says that it is ready. A request that a back end never took, or
 * whose connection ended without an answer, goes to another one: oneM2M does it once, because its X-M2M-RI names it. Only registrations
 * without an originator of their own, which nothing tells apart, are not sent twice.
 */
export function renderProxyConfig(settings: ProxySettings, slots: readonly Slot[]): string {
  const { host, port, maxConnections, algorithm, checkMilliseconds } = settings;
  const servers = slots.map(({ name, address, isOpen }) =>
    isOpen && address !== undefined
      ? `  server ${name} ${bracketed(address.host)}:${address.port}`
      : `  server ${name} 127.0.0.1:1 disabled`,
  );
  return `global
  nbthread 1
  no strict-limits
  maxconn ${maxConnections}
  hard-stop-after ${ANSWER_SECONDS}s
  stats socket unix@${COMMAND_SOCKET} mode 600 level admin expose-fd listeners

defaults
  mode http
  timeout connect 1s
  timeout check ${CHECK_SECONDS}s
  timeout queue 5s
  timeout client 65s
  timeout http-request 60s
  timeout server ${ANSWER_SECONDS}s
  option forwardfor
  option idle-close-on-response

frontend ${FRONTEND}
  bind ${bracketed(host)}:${port}
  acl is_anonymous req.hdr(X-M2M-Origin) -m str C S
  acl is_anonymous req.hdr(X-M2M-Origin) -m len 0
  acl is_anonymous req.hdr_cnt(X-M2M-Origin) eq 0
  http-request disable-l7-retry if METH_POST is_anonymous
  default_backend ${BACKEND}

backend ${BACKEND}
  balance ${algorithm}
  http-reuse safe
  retries 3
  option redispatch 1
  retry-on conn-failure empty-response
  option httpchk
  http-check send meth OPTIONS uri / ver HTTP/1.1 hdr Host load-balancer
  http-check expect status 200
  http-error status 503 content-type application/json string '{"m2m:dbg":"no gateway is ready; try again under the same X-M2M-RI"}' hdr X-M2M-RSC 5103 hdr Retry-After 1
  default-server check inter ${checkMilliseconds} fall 1 rise 1
${servers.join('\n')}
`;
}

const bracketed = (host: string): string => (isIPv6(host) ? `[${host}]` : host);
