import { Option, type Command } from 'commander';
import { wholeNumber } from '../arguments.ts';
import { contextOf, type Environment } from '../context.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { printJson, printText, say } from '../output.ts';
import { planText, type ServicePlan } from '../placement-text.ts';
import { findInstance, operate, planScale, scaleRequest, type ScaleOptions } from '../services.ts';

interface Options extends ScaleOptions {
  readonly plan?: boolean;
  readonly timeout: number;
}

/** `iotmano service scale`: functions of a service together, by an aspect of the service. */
export function addScaleCommand(group: Command, env: Environment): void {
  group
    .command('scale <name>')
    .description(
      'scale functions of a service together, one after the other; where one has no room, all of it goes back',
    )
    .option('--aspect <aspect>', 'which aspect, where the service has several')
    .addOption(levels('--out <levels>', 'so many levels out').conflicts(['in', 'to']))
    .addOption(levels('--in <levels>', 'so many levels in').conflicts('to'))
    .addOption(levels('--to <level>', 'to that level, from 1 on'))
    .option('--plan', 'show where the instances would be, without changing anything')
    .option(
      '--timeout <seconds>',
      'how long to wait; the operation itself goes on',
      wholeNumber('--timeout', 1),
      300,
    )
    .action(async (name: string, options: Options, command: Command) => {
      const { client, format } = contextOf(command, env);
      if (options.out === undefined && options.in === undefined && options.to === undefined)
        throw new CliFailure(EXIT.usage, 'say how far with --out, --in or --to');
      const instance = await findInstance(client, name);
      const request = scaleRequest(instance, options);
      if (options.plan === true) {
        const plan: ServicePlan = await planScale(client, instance, request);
        if (format === 'json') printJson(plan);
        else printText(planText(plan, false));
        if (!plan.fits) process.exitCode = 1;
        return;
      }
      await operate(client, instance, 'scale', request, options.timeout);
      if (format === 'json') printJson({ id: instance.id, name: instance.nsInstanceName });
      else say(`${name} is scaled`);
    });
}

function levels(flags: string, description: string): Option {
  return new Option(flags, description).argParser(wholeNumber(flags.split(' ')[0] ?? flags, 1));
}
