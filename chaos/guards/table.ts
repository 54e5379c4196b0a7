import { ADAPTERS } from './adapters.ts';
import { AUTHORITY } from './authority.ts';
import { CHANNELS } from './channels.ts';
import { DECISIONS } from './decisions.ts';
import { DEPOSED } from './deposed.ts';
import { FILES_GUARDS } from './files.ts';
import type { Guard } from './guard.ts';
import { HOST } from './host.ts';
import { IDENTITY } from './identity.ts';
import { LOGS } from './logs.ts';
import { OPERATIONS } from './operations.ts';
import { PROCESSES } from './processes.ts';
import { ROOM } from './room.ts';
import { STANDING } from './standing.ts';
import { UNREADABLE } from './unreadable.ts';
import { WATCHING } from './watching.ts';

export const GUARDS: readonly Guard[] = [
  ...HOST,
  ...LOGS,
  ...UNREADABLE,
  ...CHANNELS,
  ...PROCESSES,
  ...AUTHORITY,
  ...OPERATIONS,
  ...DEPOSED,
  ...STANDING,
  ...IDENTITY,
  ...DECISIONS,
  ...ADAPTERS,
  ...WATCHING,
  ...ROOM,
  ...FILES_GUARDS,
];
