import type { Listed } from './facts.ts';
import type { Judgement, Rule } from './rule.ts';
import { eachByRole, listed } from './rule.ts';

const named = ({ count, names }: Listed, what: string, expected: string): Judgement =>
  count === 0 ? null : { found: `${String(count)} ${what}: ${listed(names, count)}`, expected };

/** What the databases hold that replicates badly. Of the primary: the replicas hold the same. */
export const CONTENT_RULES: readonly Rule[] = [
  {
    code: 'NoPrimaryKey',
    group: 'servers',
    severity: 'warn',
    looksAt: 'tables of applications without a primary key or another unique one',
    why: 'a replica looks through the whole table for every row that is changed, and falls behind for hours',
    fix: 'copy it on the primary into a new table with such a key, and rename the two (docs/audit.md, A key for a table without one); not by ALTER TABLE on the table itself: each server would number its rows in its own order, and later changes would hit other rows',
    judge: eachByRole(({ server: { tables } }, isPrimary) =>
      isPrimary ? named(tables.withoutPrimaryKey, 'tables', 'a primary key in every table') : null,
    ),
  },
  {
    code: 'NotTransactional',
    group: 'servers',
    severity: 'warn',
    looksAt: 'engine of the tables of applications',
    why: 'what was written to them is kept in no order with the rest, and a crash loses or damages it',
    fix: 'ALTER TABLE … ENGINE=InnoDB',
    judge: eachByRole(({ server: { tables } }, isPrimary) =>
      isPrimary ? named(tables.nonTransactional, 'tables', 'InnoDB') : null,
    ),
  },
  {
    code: 'EventsUndeclared',
    group: 'servers',
    severity: 'warn',
    looksAt: 'enabled events on the primary against `policy.events`',
    why: 'a failover leaves the scheduler of the new primary off, and the events are carried out by nobody',
    fix: 'set policy.events: true and run standfast prepare, or drop the events',
    judge: eachByRole(({ server: { enabledEvents, status }, facts: { declared } }, isPrimary) =>
      isPrimary && !declared.events && status.eventScheduler
        ? named(enabledEvents, 'events', 'policy.events: true, or none')
        : null,
    ),
  },
];
