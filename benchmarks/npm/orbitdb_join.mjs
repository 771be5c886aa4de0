// node orbitdb_join.mjs N: microseconds an entry that a log of N entries takes to join and verify N more, and the process's
// peak memory in KiB.
import { Identities, KeyStore, Log, MemoryStorage } from '@orbitdb/core'

const n = Number(process.argv[2])
const keystore = await KeyStore({ storage: await MemoryStorage() })
const storage = await MemoryStorage()

// Each has Identities of its own, as on two machines: one remembers what it has verified.
const log = async (id) => {
  const identities = await Identities({ keystore, storage })
  const identity = await identities.createIdentity({ id })
  return Log(identity, { logId: 'benchmark', entryStorage: await MemoryStorage() })
}

const made = await log('ana')
const joined = await log('bo')
const joinNext = async () => {
  for (let i = 0; i < n; i++) {
    await made.append({ title: `Take ${i}`, type: 'audio/ogg', license: 'CC-BY-SA-4.0' })
  }
  const start = process.hrtime.bigint()
  await joined.join(made)
  return Number(process.hrtime.bigint() - start) / 1e3 / n
}
await joinNext()
const taken = await joinNext()
if ((await joined.values()).length !== 2 * n) throw new Error('entries are missing after the join')
console.log(taken, process.resourceUsage().maxRSS)
