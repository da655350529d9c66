import { Option, type Command } from 'commander';
import { splitPair, wholeNumber } from '../arguments.ts';
import { contextOf, type Environment } from '../context.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { printJson, say } from '../output.ts';
import { findInstance, operate } from '../services.ts';
import { pauseUpgrade, upgradeRequest, type UpgradeOptions } from '../upgrade.ts';

interface Options extends UpgradeOptions {
  readonly pause?: boolean;
  readonly resume?: boolean;
  readonly timeout: number;
}

/** `iotmano service upgrade`: functions of a service to other versions, in order of bindings. */
export function addUpgradeCommand(group: Command, env: Environment): void {
  group
    .command('upgrade <name>')
    .description(
      'bring functions of a service to other versions, step by step and providers first; what is not well goes back by itself',
    )
    .option(
      '--to <package>',
      'an onboarded package: id, vnfdId, product, or product@version (repeatable)',
      (text: string, all: readonly string[]) => [...all, text],
      [],
    )
    .option(
      '--function <name=version>',
      'a function of the service, and the version it goes to (repeatable)',
      (text: string, all: readonly (readonly [string, string])[]) => [...all, splitPair('--function', text)],
      [],
    )
    .addOption(
      new Option('--strategy <strategy>', 'how, where it is not to be as the descriptors say').choices([
        'rolling',
        'canary',
        'blue-green',
        'recreate',
      ]),
    )
    .option('--no-auto-rollback', 'wait for a decision when the new version is not well')
    .option('--pause', 'hold the upgrade that is under way')
    .option('--resume', 'let it go on')
    .option(
      '--timeout <seconds>',
      'how long to wait; the operation itself goes on',
      wholeNumber('--timeout', 1),
      3600,
    )
    .action(async (name: string, options: Options, command: Command) => {
      const { client, format } = contextOf(command, env);
      const instance = await findInstance(client, name);
      if (options.pause === true || options.resume === true) {
        const task = options.pause === true ? 'pause' : 'resume';
        const count = await pauseUpgrade(client, instance, task);
        if (count === 0) throw new CliFailure(EXIT.conflict, `no upgrade of ${name} is under way`);
        say(`${name}: ${task === 'pause' ? 'paused' : 'goes on'} (${count} functions)`);
        return;
      }
      const request = await upgradeRequest(client, instance, options);
      await operate(client, instance, 'update', request, options.timeout);
      if (format === 'json') printJson({ id: instance.id, name: instance.nsInstanceName });
      else say(`${name} is upgraded`);
    });
}
