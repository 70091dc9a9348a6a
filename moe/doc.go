// Package moe is a mixture of experts that is routed by spectra: SPAMoE's router (arXiv 2604.07421) and the mixture around it. An expert
// is any map between batches, a neural operator or a function of your own; see Expert.
//
// A latent x of nc channels on ny x nx points has the spectrum F. Its magnitudes in decades, relative to their mean over the sample's
// channels and frequencies, get a learned gain G for every channel c and band b,
//
//	A_c(k) = (L_c(k) - mean L) sum over b of G_cb m_b(k),    L_c(k) = log10(1e-6 + |F_c(k)|^2 / mean |F|^2) / 2,
//
// go through attention, one weight for every frequency, and make one gate per expert,
//
//	a(k) = softmax over k of Q(A(k)) . K(A(k)) / sqrt(nc),    g = softmax W P(sum over k of a(k) V(A(k))).
//
// Without the gains the gates could not tell at which frequencies the magnitudes lie.
//
// The experts of the largest gates are chosen, top k of them, with weights g_e divided by their sum. Frequencies are divided into
// as many bands as there are experts, rings around k = 0 with masks m_b, see Bands. Expert e prefers a frequency f_e, which is
// learned, and gets
//
//	x_e = F^-1(M_e F),    M_e = sum over b of p_eb m_b,    p_eb = softmax over b of -a (f_e - c_b)^2,
//
// where c_b is the centre of band b. The answer is the weighted sum of what the chosen experts make of their x_e. Since masks are
// summed before the inverse transform, and samples are grouped by expert, a batch costs one forward transform, top k inverse ones and
// one call of every expert chosen.
//
// With top k = 1 the weight is always 1, and only the load-balancing loss trains the gates. That loss (Fedus et al., arXiv 2101.03961,
// equation 4), for the mean gates P of a batch and the frequencies f with which its experts were chosen, is
//
//	L = Balance ne sum over e of f_e P_e,
//
// which is Balance where either is uniform and grows as both favour the same experts.
//
//	mixture, err := moe.New(moe.Config{Channels: 8}, []moe.Expert{low, middle, high}, rng)
//	route := mixture.Router.Route(x)   // x is nb x 8 x ny x nx
//	y := mixture.Apply(route)          // train on its loss + 0.01 route.Balance
//	stats := route.Stats()             // if you want them
//
// Parameters have the names of SPAMoE, so its checkpoints load into a mixture made with Reference, which computes as SPAMoE does;
// Defects says what that differs in.
package moe
