import { IotmanoError } from '../../../kernel/index.ts';
import {
  RSC,
  SUBJECT,
  type BrokerLink,
  type CommitReply,
  type CommitRequest,
  type ListReply,
  type ListRequest,
  type LookReply,
  type LookRequest,
  type StorageFailure,
  type VerifyReply,
  type VerifyRequest,
} from '../../shared/index.ts';
import { refusal } from './refusal.ts';

/** The other functions as request processing sees them. */
export interface Neighbours {
  look(request: LookRequest): Promise<LookReply>;
  list(request: ListRequest): Promise<ListReply>;
  commit(request: CommitRequest): Promise<CommitReply>;
  verify(request: VerifyRequest): Promise<VerifyReply>;
}

/**
 * Over the broker. An attempt that gets no answer is not repeated here: the whole request is, by who received it, under the same key.
 * @throws IotmanoError `unavailable` or `timeout`
 */
export function createNeighbours(link: BrokerLink, timeoutMilliseconds: () => number): Neighbours {
  const ask = async <Reply extends object>(
    subject: string,
    request: unknown,
    timeout: number,
  ): Promise<Reply> => {
    const answer = await link.request(subject, JSON.stringify(request), { timeoutMilliseconds: timeout });
    const reply = JSON.parse(Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength).toString()) as
      Reply | StorageFailure;
    if (reply === null || typeof reply !== 'object')
      throw new IotmanoError('unavailable', `${subject} gave no answer`);
    if ('failed' in reply) throw refusal(RSC.internalServerError, reply.failed);
    return reply;
  };
  return {
    look: (request) => ask(SUBJECT.storageLook, request, timeoutMilliseconds()),
    list: (request) => ask(SUBJECT.storageList, request, timeoutMilliseconds()),
    commit: (request) => ask(SUBJECT.storageCommit, request, timeoutMilliseconds()),
    // The target of a subscription may be far and slow.
    verify: (request) => ask(SUBJECT.verify, request, Math.max(10_000, timeoutMilliseconds())),
  };
}
