/* What hand-written C takes for three of the populations, on one thread or more: the limit that engines are held to.
   Random numbers are those of counters (the finaliser of SplitMix64 of a key and a row). */
#include <omp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define GOLDEN 0x9E3779B97F4A7C15ULL

static inline uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}
static inline float unit(uint64_t key, long row) { return (float)(mix(key + row * GOLDEN) >> 40) * 0x1p-24f; }

/* Gifts are appended to a list for each block of 2^shift receivers, then each block is summed by one thread. */
void wealth(int32_t *coins, long n, long first, long steps, uint32_t *lists, long room, int blocks, int shift) {
    int most = omp_get_max_threads();
    long *lengths = malloc(sizeof(long) * most * blocks);
    for (long step = first; step < first + steps; step++) {
        uint64_t key = mix(step + 1);
        #pragma omp parallel
        {
            int me = omp_get_thread_num(), all = omp_get_num_threads();
            long length[4096];
            memset(length, 0, sizeof(long) * blocks);
            uint32_t *mine = lists + (size_t)me * blocks * room;
            for (long i = n * me / all; i < n * (me + 1) / all; i++) {
                int gives = coins[i] > 0;
                uint32_t to = (uint32_t)(((mix(key + i * GOLDEN) >> 32) * (uint64_t)n) >> 32), block = to >> shift;
                coins[i] -= gives;
                mine[block * room + length[block]] = to;
                length[block] += gives;
            }
            memcpy(lengths + (size_t)me * blocks, length, sizeof(long) * blocks);
            #pragma omp barrier
            #pragma omp for schedule(static)
            for (int block = 0; block < blocks; block++)
                for (int from = 0; from < all; from++) {
                    uint32_t *list = lists + ((size_t)from * blocks + block) * room;
                    for (long e = 0; e < lengths[(size_t)from * blocks + block]; e++) coins[list[e]]++;
                }
        }
    }
    free(lengths);
}

/* The infected are marked in a bitmap, and the susceptible count their marked contacts. risk[k]: that of k of them. */
void sir(const int64_t *indptr, const int32_t *indices, int8_t *state, uint64_t *marks, long n, long first, long steps,
         const float *risk, float gamma) {
    for (long step = first; step < first + steps; step++) {
        uint64_t key = mix(step + 1);
        #pragma omp parallel
        {
            #pragma omp for schedule(static)
            for (long word = 0; word < (n + 63) / 64; word++) {
                uint64_t bits = 0;
                for (long i = word * 64; i < n && i < word * 64 + 64; i++) bits |= (uint64_t)(state[i] == 1) << (i & 63);
                marks[word] = bits;
            }
            #pragma omp for schedule(dynamic, 16384)
            for (long i = 0; i < n; i++) {
                if (state[i] == 0) {
                    int found = 0;
                    for (long e = indptr[i]; e < indptr[i + 1]; e++)
                        found += (marks[(uint32_t)indices[e] >> 6] >> (indices[e] & 63)) & 1;
                    if (found && unit(key, i) < risk[found < 63 ? found : 63]) state[i] = 1;
                } else if (state[i] == 1 && unit(key, i) < gamma) state[i] = 2;
            }
        }
    }
}

void opinion(const int64_t *indptr, const int32_t *indices, float *now, float *next, long n, long steps, float near) {
    for (long step = 0; step < steps; step++) {
        #pragma omp parallel for schedule(dynamic, 8192)
        for (long i = 0; i < n; i++) {
            float mine = now[i], sum = mine;
            int heard = 1;
            for (long e = indptr[i]; e < indptr[i + 1]; e++) {
                float theirs = now[indices[e]];
                int close = (theirs - mine <= near) & (mine - theirs <= near);
                sum += close ? theirs : 0;
                heard += close;
            }
            next[i] = sum / heard;
        }
        memcpy(now, next, n * sizeof(float));
    }
}
