import { messageOf } from '../../../kernel/index.ts';
import {
  RESOURCE_TYPE,
  SUBJECT,
  type BrokerLink,
  type LookReply,
  type NotifyReply,
  type NotifyRequest,
} from '../../shared/index.ts';

export interface SenderSettings {
  readonly cseId: string;
  /** How long a subscriber may take. */
  readonly targetTimeoutMilliseconds: number;
}

const REMEMBER_MILLISECONDS = 2_000;
/** What the broker and the protocol function may add to the target's own time. */
const MARGIN_MILLISECONDS = 2_000;

/** Sends notifications to targets: straight to a URL, or to an AE of this CSE at its points of access. */
export class Sender {
  readonly #link: BrokerLink;
  readonly #settings: () => SenderSettings;
  readonly #pointsOfAccess = new Map<string, { readonly urls: readonly string[]; readonly until: number }>(
    [],
  );

  constructor(link: BrokerLink, settings: () => SenderSettings) {
    this.#link = link;
    this.#settings = settings;
  }

  /** Never rejects; tries the target's addresses in order until one answers. */
  async send(target: string, rqi: string, content: unknown): Promise<NotifyReply> {
    try {
      const urls = await this.#urlsOf(target);
      let reply: NotifyReply = { answered: false, problem: `"${target}" has no point of access over HTTP` };
      for (const url of urls) {
        reply = await this.#sendTo(url, rqi, content);
        if (reply.answered) return reply;
      }
      this.#pointsOfAccess.delete(target);
      return reply;
    } catch (error) {
      return { answered: false, problem: messageOf(error) };
    }
  }

  async #sendTo(url: string, rqi: string, content: unknown): Promise<NotifyReply> {
    const { cseId, targetTimeoutMilliseconds } = this.#settings();
    const request: NotifyRequest = {
      url,
      fr: cseId,
      rqi,
      content,
      timeoutMilliseconds: targetTimeoutMilliseconds,
    };
    return this.#ask<NotifyReply>(
      SUBJECT.notifyHttp,
      request,
      targetTimeoutMilliseconds + MARGIN_MILLISECONDS,
    );
  }

  async #urlsOf(target: string): Promise<readonly string[]> {
    if (/^https?:\/\//.test(target)) return [target];
    const known = this.#pointsOfAccess.get(target);
    if (known !== undefined && known.until > performance.now()) return known.urls;
    const { cseId } = this.#settings();
    const to = target.startsWith(`${cseId}/`) ? target.slice(cseId.length + 1) : target;
    const sight = await this.#ask<LookReply>(SUBJECT.storageLook, { to }, MARGIN_MILLISECONDS);
    const urls =
      'found' in sight && sight.found && sight.target.ty === RESOURCE_TYPE.ae
        ? httpOf(sight.resource['poa'])
        : [];
    this.#pointsOfAccess.set(target, { urls, until: performance.now() + REMEMBER_MILLISECONDS });
    return urls;
  }

  async #ask<Reply>(subject: string, request: unknown, timeoutMilliseconds: number): Promise<Reply> {
    const answer = await this.#link.request(subject, JSON.stringify(request), { timeoutMilliseconds });
    return JSON.parse(Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength).toString()) as Reply;
  }
}

function httpOf(pointsOfAccess: unknown): readonly string[] {
  if (!Array.isArray(pointsOfAccess)) return [];
  return pointsOfAccess.filter((url): url is string => typeof url === 'string' && /^https?:\/\//.test(url));
}

/** Whether the target has taken it: by its response status code, else by the HTTP status alone. */
export function isAccepted(reply: NotifyReply): boolean {
  if (!reply.answered) return false;
  const code = reply.rsc ?? (reply.status ?? 0) * 10;
  return code >= 2000 && code < 3000;
}
