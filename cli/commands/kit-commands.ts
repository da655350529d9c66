import { Option, type Command } from 'commander';
import { wholeNumber } from '../arguments.ts';
import type { Environment } from '../context.ts';
import { orCouldNot } from '../kit-run.ts';
import { runAgentKit, type AgentKitFlags } from '../run-agent-kit.ts';
import { runOrchestratorKit, type OrchestratorKitFlags } from '../run-orchestrator-kit.ts';

const HELP = `
Exit codes: 0 nothing has failed   1 something has failed   2 nothing could be checked
What each side needs, and every case: docs/conformance.md`;

/** `iotmano conformance …`: checks one side of the reference point Mco, whoever made it. */
export function addKitCommands(program: Command, env: Environment): void {
  const group = program
    .command('conformance')
    .description('check an agent or an orchestrator that anybody made against the requirements of Mco');

  withKitFlags(group.command('agent'))
    .description('play an orchestrator, and check the agent that comes')
    .option(
      '--listen <address:port>',
      "where the agent finds the kit; port 0 takes a free one; https:// before it: over TLS, with an authority of the kit's own; nats://: the same as --binding nats",
      '127.0.0.1:0',
    )
    .option(
      '--write-ca <file>',
      'over TLS: where the certificate of the authority of the kit is written; default: a new directory for temporary files',
    )
    .option(
      '--certificate-life <seconds>',
      'over TLS: life of the certificate whose renewal is watched',
      wholeNumber('--certificate-life', 3),
      15,
    )
    .option('--host-id <id>', 'over NATS: the host that the agent is to be', 'kit-agent')
    .option('--nats-server <program>', 'over NATS: the program that the kit starts', 'nats-server')
    .option(
      '--nats-servers <number>',
      'over NATS: servers, 3 for a cluster',
      wholeNumber('--nats-servers', 1),
      1,
    )
    .option('--workload <file>', 'what the host of the agent can run (JSON); default: a process with node')
    .option(
      '--restart-command <command>',
      'kills the agent with SIGKILL, waits PAUSE_SECONDS and starts it again',
    )
    .option('--rekey-command <command>', 'as that, and takes its key for sealed values away in between')
    .option('--leave-command <command>', 'lets the agent leave, and ends when it has')
    .option('--agent-release <file>', 'a newer program of the agent: one file, that it may become')
    .option('--agent-release-version <version>', 'what that program calls itself')
    .option('--wait <seconds>', 'how long the agent is waited for', wholeNumber('--wait', 1), 120)
    .addHelpText('after', HELP)
    .action((flags: AgentKitFlags, command: Command) => orCouldNot(() => runAgentKit(flags, command)));

  withKitFlags(group.command('orchestrator'))
    .description('play agents, and check the orchestrator that they speak to')
    .option(
      '--target <url>',
      'where the orchestrator answers; for NATS nats://host:port, several separated by commas',
    )
    .option(
      '--token <token...>',
      'one-time enrolment tokens that any host may use, for NATS TOKEN~JWT; IOTMANO_ENROLMENT_TOKEN is taken, too',
    )
    .option(
      '--operator-command <command>',
      'does what an operator does: is run with an action and its arguments',
    )
    .option('--by-hand', 'ask for what an operator has to do, and wait for Enter')
    .option('--ca-file <file>', 'the certificate authorities of its server, and no others (PEM)')
    .addHelpText('after', HELP)
    .action((flags: OrchestratorKitFlags, command: Command) =>
      orCouldNot(() => runOrchestratorKit(flags, command, env)),
    );
}

function withKitFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--binding <binding>', 'what carries the messages')
        .choices(['http', 'nats'])
        .default('http'),
    )
    .option('--only <ids>', 'requirements or cases to play, separated by commas', split)
    .option('--list', 'list the cases and the requirements that they show, and end')
    .option('--timeout <seconds>', 'longest time of one case', wholeNumber('--timeout', 1), 60)
    .addOption(
      new Option('--format <format>', 'of the result; default: table').choices(['table', 'json', 'junit']),
    )
    .option('-f, --file <file>', 'write the result there; what is shown is a line for each case then');
}

function split(text: string): readonly string[] {
  return text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}
