import { IotmanoError, messageOf, systemClock } from '../../../kernel/index.ts';
import {
  BrokerLink,
  readConfig,
  requiredService,
  RSC,
  runFunction,
  SUBJECT,
  type FunctionBindings,
  type OutboxBatch,
  type OutboxSettle,
  type OutboxTake,
  type StorageFailure,
  type VerifyReply,
  type VerifyRequest,
} from '../../shared/index.ts';
import { composeNotification, composeVerification, verdictOf } from './compose.ts';
import { computeSettlement, deliverBatch, type DeliverySettings } from './delivery.ts';
import { isAccepted, Sender, type SenderSettings } from './sender.ts';

const QUEUE = 'subscription-notification';
const TAKE_WAIT_MILLISECONDS = 2_000;

interface Settings extends SenderSettings, DeliverySettings {
  readonly batch: number;
  /** Notifications under way at once to one target, and targets at once. */
  readonly atOnce: number;
  readonly lanes: number;
}

function settingsOf(bindings: FunctionBindings): Settings {
  const config = readConfig(bindings.config);
  return {
    cseId: config.text('cseId', '/id-in'),
    targetTimeoutMilliseconds: config.number('targetTimeoutMilliseconds', 5_000),
    retryMinMilliseconds: config.number('retryMinMilliseconds', 250),
    retryMaxMilliseconds: config.number('retryMaxMilliseconds', 30_000),
    removeAfterFailures: config.number('removeAfterFailures', 20),
    removeAfterMilliseconds: config.number('removeAfterSeconds', 3_600) * 1000,
    batch: config.number('batch', 64),
    atOnce: config.number('atOnce', 1),
    lanes: config.number('lanes', 16),
  };
}

await runFunction('subscription-notification', async ({ bindings, instance, metrics, log, signal }) => {
  let settings = settingsOf(bindings);
  const link = new BrokerLink(instance, requiredService(bindings, 'broker'), (event) =>
    log.info({ event }, 'broker'),
  );
  const sender = new Sender(link, () => settings);
  const delivered = metrics.counter(
    'notifications_delivered_total',
    'Notifications that their targets accepted.',
  );
  const failed = metrics.counter(
    'notification_failures_total',
    'Batches that a target did not accept as a whole.',
  );
  const removed = metrics.counter(
    'subscriptions_removed_total',
    'Subscriptions removed because a target failed for too long.',
  );

  const ask = async <Reply extends object>(
    subject: string,
    request: unknown,
    timeoutMilliseconds: number,
  ): Promise<Reply> => {
    const answer = await link.request(subject, JSON.stringify(request), { timeoutMilliseconds });
    const reply = JSON.parse(Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength).toString()) as
      Reply | StorageFailure;
    if ('failed' in reply) throw new IotmanoError('unavailable', reply.failed);
    return reply;
  };

  /** Tells the storage until it has heard; were it not told, the batch would only be delivered once more. */
  const settle = async (settlement: OutboxSettle): Promise<void> => {
    for (let tries = 0; tries < 20; tries += 1) {
      try {
        await ask(SUBJECT.outboxSettle, settlement, 1_000);
        return;
      } catch {
        await systemClock.sleep(100);
      }
    }
  };

  const deliver = async (batch: OutboxBatch & { readonly queue: string }, worker: string): Promise<void> => {
    const send = ({ id, event }: OutboxBatch['entries'][number]): ReturnType<Sender['send']> =>
      sender.send(event.target, `ntf-${id}`, composeNotification(event, settings.cseId));
    const delivery = await deliverBatch(batch, settings.atOnce, send, isAccepted, systemClock);
    const settlement = computeSettlement(batch, delivery, worker, settings);
    delivered.add(undefined, delivery.accepted.length);
    if (settlement.retryAfterMilliseconds !== undefined) failed.add();
    if (settlement.removeSubscription !== undefined) {
      removed.add();
      log.warn(
        { subscription: settlement.removeSubscription },
        'subscription removed: its target failed for too long',
      );
    }
    await settle(settlement);
  };

  const lane = async (worker: string): Promise<void> => {
    while (!signal.aborted) {
      const take: OutboxTake = { worker, max: settings.batch, waitMilliseconds: TAKE_WAIT_MILLISECONDS };
      try {
        const batch = await ask<OutboxBatch>(SUBJECT.outboxTake, take, TAKE_WAIT_MILLISECONDS + 1_000);
        if (batch.queue !== undefined) await deliver({ ...batch, queue: batch.queue }, worker);
      } catch {
        // Broker or storage are away, and come back.
        await systemClock.sleep(100, signal);
      }
    }
  };

  /** All targets at once, so that it takes no longer than the slowest may. */
  const verify = async ({ targets, sur, creator }: VerifyRequest): Promise<VerifyReply> => {
    const content = composeVerification(sur, creator, settings.cseId);
    const verdicts = await Promise.all(
      targets.map(async (target, index) => {
        const reply = await sender.send(target, `vrq-${performance.now()}-${index}`, content);
        return verdictOf(target, reply);
      }),
    );
    return verdicts.find(({ rsc }) => rsc !== RSC.ok) ?? { rsc: RSC.ok };
  };

  let lanes: Promise<unknown> = Promise.resolve();
  let end: (() => Promise<void>) | undefined;
  link.start(signal, () => {
    end = link.serve(SUBJECT.verify, QUEUE, (message, respond) => {
      verify(message.json<VerifyRequest>()).then(
        (reply) => respond(JSON.stringify(reply)),
        (error: unknown) => log.error({ error: messageOf(error) }, 'verification failed'),
      );
    });
    lanes = Promise.all(Array.from({ length: settings.lanes }, (_, index) => lane(`${instance}-${index}`)));
  });

  return {
    notReady: () => (link.isConnected ? undefined : 'not connected to the message broker'),
    reload: async (current) => {
      settings = settingsOf(current);
      await link.rebind(requiredService(current, 'broker'));
    },
    stop: async () => {
      await Promise.race([Promise.all([end?.(), lanes]), systemClock.sleep(TAKE_WAIT_MILLISECONDS + 3_000)]);
      await link.close();
    },
  };
});
