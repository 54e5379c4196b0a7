import { runCampaign } from './campaigns.ts';

process.exitCode = await runCampaign(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
});
