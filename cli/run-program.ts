import { CommanderError, type Command } from 'commander';
import { messageOf } from '../kernel/index.ts';
import { CliFailure, EXIT, exitCodeOf } from './failure.ts';
import { say } from './output.ts';

/** Runs what the arguments ask for; whatever ends it is told on stderr, and as the exit code. */
export async function runProgram(program: Command): Promise<void> {
  for (const command of allCommands(program)) command.exitOverride();
  // Whoever reads has seen enough: `iotmano ps | head -3`.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = tell(error);
  }
}

function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

/** Says what ended the command, and gives the exit code for it. */
function tell(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  say(`iotmano: ${messageOf(error)}`);
  if (error instanceof CliFailure) for (const line of error.details) say(`  ${line}`);
  return exitCodeOf(error);
}
