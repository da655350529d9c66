import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { messageOf } from '../../../kernel/index.ts';
import type { NotifyReply, NotifyRequest } from '../../shared/index.ts';
import { notPermitted, type NotificationTargets } from './notification-targets.ts';

const MAX_ANSWER_BYTES = 65_536;
const plainAgent = new HttpAgent({ keepAlive: true, maxSockets: 64 });
let secureAgent: HttpsAgent | undefined;

/** Sends a notification primitive to a subscriber (TS-0009: a POST without a resource type). Never rejects. */
export async function sendNotification(
  notification: NotifyRequest,
  targets: NotificationTargets,
): Promise<NotifyReply> {
  const url = URL.canParse(notification.url) ? new URL(notification.url) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    return { answered: false, problem: `"${notification.url.slice(0, 100)}" is not an HTTP address` };
  }
  try {
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    // Only names are looked up on connecting.
    if (isIP(host) !== 0 && !targets.permits(host)) throw notPermitted(host);
    return await post(url, notification, targets);
  } catch (error) {
    return { answered: false, problem: messageOf(error) };
  }
}

function post(url: URL, notification: NotifyRequest, targets: NotificationTargets): Promise<NotifyReply> {
  const body = JSON.stringify(notification.content);
  const isSecure = url.protocol === 'https:';
  if (isSecure) secureAgent ??= new HttpsAgent({ keepAlive: true, maxSockets: 64 });
  return new Promise((resolve, reject) => {
    const options = {
      method: 'POST',
      agent: isSecure ? secureAgent : plainAgent,
      lookup: targets.lookup,
      signal: AbortSignal.timeout(Math.min(Math.max(notification.timeoutMilliseconds, 100), 30_000)),
      headers: {
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(body),
        'X-M2M-Origin': notification.fr,
        'X-M2M-RI': notification.rqi,
        'X-M2M-RVI': '4',
      },
    };
    const outgoing = (isSecure ? httpsRequest : httpRequest)(url, options, (response) => {
      // The head says it all. A short body is read so that the connection can be used again.
      const { statusCode: status = 0, headers } = response;
      const rsc = Number(headers['x-m2m-rsc'] ?? Number.NaN);
      resolve(Number.isInteger(rsc) ? { answered: true, status, rsc } : { answered: true, status });
      response.once('error', () => undefined);
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES) response.destroy();
      });
    });
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}
