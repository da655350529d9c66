import { join } from 'node:path';
import type { Msg } from '@nats-io/transport-node';
import { systemClock } from '../../../kernel/index.ts';
import {
  BrokerLink,
  readConfig,
  requiredService,
  runFunction,
  SUBJECT,
  type CommitRequest,
  type ListRequest,
  type LookRequest,
  type OutboxSettle,
  type OutboxTake,
  type StorageFailure,
} from '../../shared/index.ts';
import { baseAttributes } from './cse-base.ts';
import { openDatabase } from './database.ts';
import { GroupCommit } from './group-commit.ts';
import { OutboxDesk } from './outbox-desk.ts';
import { ResourceStore } from './resource-store.ts';

const QUEUE = 'data-storage';

await runFunction('data-storage', async ({ environment, bindings, instance, metrics, log, signal, fail }) => {
  const config = readConfig(bindings.config);
  const cseId = config.text('cseId', '/id-in');
  const database = openDatabase(join(environment['DATA_DIRECTORY'] ?? '.', 'cse.sqlite'));
  const store = new ResourceStore(
    database,
    {
      cseName: config.text('cseName', 'cse-in'),
      cseResourceId: cseId.replace(/^\//, ''),
      adminOriginator: config.text('adminOriginator', 'CAdmin'),
      base: baseAttributes(cseId),
      keepAnswersMilliseconds: config.number('keepAnswersSeconds', 300) * 1000,
    },
    systemClock.now(),
  );
  const requests = metrics.counter('storage_requests_total', 'Requests done.');
  const commitSeconds = metrics.histogram(
    'storage_commit_seconds',
    'Time of one transaction, disk included.',
  );
  metrics.gauge('outbox_entries', 'Notifications not delivered yet.', () => store.outbox.count());
  const desk = new OutboxDesk(store.outbox, signal, systemClock);
  const group = new GroupCommit(database, {
    onCommitted: (jobs, writes, seconds) => {
      requests.add({ kind: 'write' }, writes);
      requests.add({ kind: 'read' }, jobs - writes);
      if (writes > 0) commitSeconds.observe(seconds);
      if (writes > 0) desk.look();
    },
    failure: (reason) => {
      log.error({ reason }, 'a request failed');
      return JSON.stringify({ failed: 'the data storage could not do this' } satisfies StorageFailure);
    },
    onDiskFailure: fail,
  });

  const link = new BrokerLink(instance, requiredService(bindings, 'broker'), (event) =>
    log.info({ event }, 'broker'),
  );
  const ends: (() => Promise<void>)[] = [];
  const serve = (subject: string, isWrite: boolean, run: (message: Msg) => string): void => {
    ends.push(
      link.serve(subject, QUEUE, (message, respond) => {
        group.add({ run: () => run(message), answer: respond, isWrite });
      }),
    );
  };
  link.start(signal, () => {
    serve(SUBJECT.storageLook, false, (message) => store.look(message.json<LookRequest>()));
    serve(SUBJECT.storageList, false, (message) => JSON.stringify(store.list(message.json<ListRequest>())));
    serve(SUBJECT.storageCommit, true, (message) =>
      store.commit(message.json<CommitRequest>(), systemClock.now()),
    );
    serve(SUBJECT.outboxSettle, true, (message) => {
      store.settle(message.json<OutboxSettle>(), systemClock.monotonic());
      return '{}';
    });
    ends.push(
      link.serve(SUBJECT.outboxTake, QUEUE, (message, respond) =>
        desk.ask(message.json<OutboxTake>(), respond),
      ),
    );
  });
  const tidying = setInterval(() => {
    group.add({
      run: () => {
        store.tidy(systemClock.now(), systemClock.monotonic());
        return '';
      },
      answer: () => undefined,
      isWrite: true,
    });
  }, 1_000);

  return {
    notReady: () => (link.isConnected ? undefined : 'not connected to the message broker'),
    reload: (current) => link.rebind(requiredService(current, 'broker')),
    stop: async () => {
      clearInterval(tidying);
      await Promise.all(ends.map((end) => end()));
      group.flush();
      desk.close();
      await link.close();
      database.close();
    },
  };
});
