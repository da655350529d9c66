import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { messageOf } from '../../../kernel/index.ts';
import type { NotifyReply, NotifyRequest } from '../../shared/index.ts';

const plainAgent = new HttpAgent({ keepAlive: true, maxSockets: 64 });
let secureAgent: HttpsAgent | undefined;

/** Sends a notification primitive to a subscriber (TS-0009: a POST without a resource type). Never rejects. */
export async function sendNotification(notification: NotifyRequest): Promise<NotifyReply> {
  const url = URL.canParse(notification.url) ? new URL(notification.url) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    return { answered: false, problem: `"${notification.url.slice(0, 100)}" is not an HTTP address` };
  }
  try {
    return await post(url, notification);
  } catch (error) {
    return { answered: false, problem: messageOf(error) };
  }
}

function post(url: URL, notification: NotifyRequest): Promise<NotifyReply> {
  const body = JSON.stringify(notification.content);
  const isSecure = url.protocol === 'https:';
  if (isSecure) secureAgent ??= new HttpsAgent({ keepAlive: true, maxSockets: 64 });
  return new Promise((resolve, reject) => {
    const options = {
      method: 'POST',
      agent: isSecure ? secureAgent : plainAgent,
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
      response.resume();
      response.once('error', reject);
      response.once('end', () => {
        const { statusCode: status = 0, headers } = response;
        const rsc = Number(headers['x-m2m-rsc'] ?? Number.NaN);
        resolve(Number.isInteger(rsc) ? { answered: true, status, rsc } : { answered: true, status });
      });
    });
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}
