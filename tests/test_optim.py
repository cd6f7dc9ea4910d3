import numpy as np
import torch

from lit_al.optim import RMSprop


def test_step_is_the_formula_of_keras():
    rng = np.random.default_rng(0)
    parameter = torch.nn.Parameter(torch.zeros(5, dtype=torch.float64))
    optimizer = RMSprop([parameter], lr=1e-3, rho=0.9, eps=1e-7)
    weights, mean_square = np.zeros(5), np.zeros(5)
    for _ in range(20):
        gradient = rng.normal(size=5) * [1, 1e-3, 1e-5, 1e-7, 0]
        parameter.grad = torch.from_numpy(gradient.copy())
        optimizer.step()
        mean_square = 0.9 * mean_square + 0.1 * gradient**2
        weights -= 1e-3 * gradient / np.sqrt(mean_square + 1e-7)
    np.testing.assert_allclose(parameter.detach().numpy(), weights, rtol=1e-12)


def test_step_differs_from_torch_where_gradients_are_small():
    mine, torchs = (torch.nn.Parameter(torch.zeros(1)) for _ in range(2))
    mine.grad, torchs.grad = torch.full((1,), 1e-6), torch.full((1,), 1e-6)
    RMSprop([mine]).step()
    torch.optim.RMSprop([torchs], lr=1e-3, alpha=0.9, eps=1e-7).step()
    assert abs(torchs.item()) > 100 * abs(mine.item()) > 0


def test_step_runs_a_closure_and_skips_parameters_without_gradient():
    used, unused = torch.nn.Parameter(torch.ones(1)), torch.nn.Parameter(torch.ones(1))
    optimizer = RMSprop([used, unused])

    def closure():
        loss = (3 * used).sum()
        loss.backward()
        return loss.item()

    assert optimizer.step(closure) == 3.0
    assert used.item() < 1
    assert unused.item() == 1
