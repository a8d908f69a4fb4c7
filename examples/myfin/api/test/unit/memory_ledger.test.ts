import { ledgerContract } from '../support/ledger_contract.ts';
import { MemoryLedger } from '../support/memory_ledger.ts';

ledgerContract('the fake', async () => new MemoryLedger());
