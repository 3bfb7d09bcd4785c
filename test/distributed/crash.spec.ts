import { useDistributedProfile } from '../servers/profile.js';

// the same tests as with the embedded profile, to the letter
useDistributedProfile();
process.env.CRASH_KILLS = '4'; // each life takes longer, and test/cluster kills nodes too
await import('../e2e/crash.spec.js');
