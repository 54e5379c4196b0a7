import { expect, test } from 'vitest';
import { findRsyncs, parseCronLines, scriptsIn } from '../../adapters/cron-rsync.ts';

test.each([
  ['*/5 * * * * rsync x', 5],
  ['* * * * * rsync x', 1],
  ['0 * * * * rsync x', 60],
  ['30 */6 * * * rsync x', 360],
  ['0 3 * * * rsync x', null],
  ['*/5 * * * 1-5 rsync x', null],
])('the period of %s is %s minutes', (line, everyMinutes) => {
  expect(parseCronLines(line)).toEqual([{ everyMinutes, command: 'rsync x' }]);
});

test('comments, settings and empty lines start nothing', () => {
  expect(parseCronLines('# */5 * * * * rsync x\nSHELL=/bin/sh\n\n@reboot rsync x')).toEqual([]);
});

const found = (command: string) =>
  findRsyncs(command, 5).map(({ source, targetHost, target, deletes }) => [source, targetHost, target, deletes]);

test.each([
  ['rsync -avz --delete /srv/up/ root@10.0.0.2:/srv/up/', ['/srv/up/', '10.0.0.2', '/srv/up/', true]],
  ['root /usr/bin/rsync -a /srv/up db2:/srv/ >> /var/log/x 2>&1', ['/srv/up/', 'db2', '/srv/up/', false]],
  ['rsync -a -e "ssh -p 2222" --exclude /tmp "/srv/my up/" db2:/other/', ['/srv/my up/', 'db2', '/other/', false]],
  ['flock -n /run/l rsync -a /srv/up/ db2:/srv/up/ && echo ok', ['/srv/up/', 'db2', '/srv/up/', false]],
])('%s', (command, expected) => {
  expect(found(command)).toEqual([expected]);
});

test.each([
  'rsync -a db2:/srv/up/ /srv/up/',
  'rsync -a /srv/up/ /backup/up/',
  'rsync -a /a/ /b/ db2:/srv/',
  '# rsync -a /srv/up/ db2:/srv/up/',
  'echo rsyncd /srv/up/ db2:/srv/up/',
])('%s is no copy from here to another host', (command) => {
  expect(found(command)).toEqual([]);
});

test('a script with variables and a line that goes on is read as it runs', () => {
  const script = '#!/bin/sh\nSRC="/srv/up/"\nHOST=db2\nrsync -a \\\n  "$SRC" "root@${HOST}:$SRC"\n';
  expect(found(script)).toEqual([['/srv/up/', 'db2', '/srv/up/', false]]);
});

test('the scripts of a command are its own programs, not those of the system, nor its log', () => {
  expect(scriptsIn('root /usr/bin/flock /usr/local/bin/sync.sh >> /dev/null')).toEqual(['/usr/local/bin/sync.sh']);
});
